using System.Globalization;

namespace Dledger.Broker.Filtering;

/// <summary>How two values compare. What RocketMQ does with each pair of types: its ComparisonExpression.</summary>
internal static class SqlComparison
{
    /// <summary>
    /// <c>left = right</c>. A missing left side makes it unknown, a missing right side false; two missing ones are equal.
    /// </summary>
    public static SqlValue Equal(scoped in SqlValue left, scoped in SqlValue right)
    {
        if (left.IsError || right.IsError)
        {
            return SqlValue.Error;
        }

        if (left.IsNull || right.IsNull)
        {
            return left.IsNull && !right.IsNull ? SqlValue.Null : SqlValue.Of(left.IsNull);
        }

        if (left.Kind == SqlKind.Text && right.Kind == SqlKind.Text)
        {
            return SqlValue.Of(left.Text.SequenceEqual(right.Text));
        }

        if (left.Kind == SqlKind.Boolean && right.Kind == SqlKind.Boolean)
        {
            return SqlValue.Of(left.IsTrue == right.IsTrue);
        }

        if (left.Kind == SqlKind.Text && right.Kind == SqlKind.Boolean)
        {
            return SqlValue.Of(IsTrueText(left.Text) == right.IsTrue);
        }

        if (left.Kind == SqlKind.Boolean)
        {
            // A truth value on the left is only read against another one; RocketMQ fails on text here.
            return right.Kind == SqlKind.Text ? SqlValue.Error : SqlValue.Of(false);
        }

        return right.Kind == SqlKind.Boolean ? SqlValue.Of(false) : Ordered(left, right, SqlTokenKind.Equal);
    }

    /// <summary><c>&lt;</c>, <c>&lt;=</c>, <c>&gt;</c>, <c>&gt;=</c>: unknown when a side is missing, else numeric.</summary>
    public static SqlValue Order(scoped in SqlValue left, scoped in SqlValue right, SqlTokenKind operation)
    {
        if (left.IsError || right.IsError)
        {
            return SqlValue.Error;
        }

        if (left.IsNull || right.IsNull)
        {
            return SqlValue.Null;
        }

        if (left.Kind != SqlKind.Text || right.Kind != SqlKind.Text)
        {
            return Ordered(left, right, operation);
        }

        return TryReadDouble(left.Text, out var first) && TryReadDouble(right.Text, out var second)
            ? SqlValue.Of(Holds(first.CompareTo(second), operation))
            : SqlValue.Error;
    }

    // At most one side is text; it is read as what the other one is.
    private static SqlValue Ordered(scoped in SqlValue left, scoped in SqlValue right, SqlTokenKind operation)
    {
        var type = left.Kind == SqlKind.Text ? right.Kind : left.Kind;
        if (left.Kind == SqlKind.Double || right.Kind == SqlKind.Double)
        {
            return TryGetDouble(left, out var first) && TryGetDouble(right, out var second)
                ? SqlValue.Of(Holds(first.CompareTo(second), operation))
                : SqlValue.Error;
        }

        return TryGetInteger(left, type, out var low) && TryGetInteger(right, type, out var high)
            ? SqlValue.Of(Holds(low.CompareTo(high), operation))
            : SqlValue.Error;
    }

    private static bool Holds(int order, SqlTokenKind operation) => operation switch
    {
        SqlTokenKind.Equal => order == 0,
        SqlTokenKind.Less => order < 0,
        SqlTokenKind.LessOrEqual => order <= 0,
        SqlTokenKind.Greater => order > 0,
        _ => order >= 0,
    };

    private static bool TryGetDouble(scoped in SqlValue value, out double real)
    {
        if (value.Kind == SqlKind.Text)
        {
            return TryReadDouble(value.Text, out real);
        }

        real = value.Real;
        return value.IsNumber;
    }

    private static bool TryGetInteger(scoped in SqlValue value, SqlKind type, out long integer)
    {
        if (value.Kind != SqlKind.Text)
        {
            integer = value.Integer;
            return value.IsNumber;
        }

        if (!long.TryParse(value.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out integer))
        {
            return false;
        }

        return type == SqlKind.Int64 || (type == SqlKind.Int32 && integer is >= int.MinValue and <= int.MaxValue);
    }

    private static bool TryReadDouble(ReadOnlySpan<byte> text, out double real)
    {
        // Words like NaN are no numbers here.
        real = 0;
        return text.IndexOfAnyExcept("0123456789+-.eE \t\r\n\f"u8) < 0
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out real);
    }

    private static bool IsTrueText(ReadOnlySpan<byte> text) =>
        System.Text.Ascii.EqualsIgnoreCase(text, "true"u8);
}
