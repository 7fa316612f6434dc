using System.Globalization;

namespace Dledger.Broker.Tests.Filtering;

/// <summary>
/// An expression as a test builds it: it can be written down, and evaluated the slow and obvious way over strings and boxed values.
/// Null is unknown; <see cref="FormatException"/> is an evaluation that fails. Written from the tables of protocol 6.3 alone.
/// </summary>
internal abstract record SqlTwin
{
    public abstract object? Evaluate(IReadOnlyDictionary<string, string> properties);

    public bool Matches(IReadOnlyDictionary<string, string> properties)
    {
        try
        {
            return Evaluate(properties) is true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    public sealed record Property(string Name) : SqlTwin
    {
        public override object? Evaluate(IReadOnlyDictionary<string, string> properties) => properties.GetValueOrDefault(Name);

        public override string ToString() => Name;
    }

    /// <summary>An int, a long, a double or a string.</summary>
    public sealed record Literal(object Value) : SqlTwin
    {
        public override object? Evaluate(IReadOnlyDictionary<string, string> properties) => Value;

        public override string ToString() => Value switch
        {
            string text => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'",
            double real => real.ToString("0.0##", CultureInfo.InvariantCulture),
            var number => string.Create(CultureInfo.InvariantCulture, $"{number}"),
        };
    }

    public sealed record Truth(bool Value) : SqlTwin
    {
        public override object? Evaluate(IReadOnlyDictionary<string, string> properties) => Value;

        public override string ToString() => Value ? "TRUE" : "FALSE";
    }

    /// <summary>A bare property as a condition.</summary>
    public sealed record Bare(string Name) : SqlTwin
    {
        public override object? Evaluate(IReadOnlyDictionary<string, string> properties) =>
            properties.ContainsKey(Name) ? false : null;

        public override string ToString() => Name;
    }

    public sealed record Not(SqlTwin Operand) : SqlTwin
    {
        public override object? Evaluate(IReadOnlyDictionary<string, string> properties) =>
            Operand.Evaluate(properties) is bool value ? !value : null;

        public override string ToString() => $"NOT ({Operand})";
    }

    public sealed record And(SqlTwin Left, SqlTwin Right) : SqlTwin
    {
        public override object? Evaluate(IReadOnlyDictionary<string, string> properties)
        {
            var left = Left.Evaluate(properties);
            var right = left is false ? false : Right.Evaluate(properties);
            return left is false || right is false ? false : left is null || right is null ? null : true;
        }

        public override string ToString() => $"({Left} AND {Right})";
    }

    public sealed record Or(SqlTwin Left, SqlTwin Right) : SqlTwin
    {
        public override object? Evaluate(IReadOnlyDictionary<string, string> properties)
        {
            var left = Left.Evaluate(properties);
            var right = left is true ? true : Right.Evaluate(properties);
            return left is true || right is true ? true : left is null || right is null ? null : false;
        }

        public override string ToString() => $"({Left} OR {Right})";
    }

    public sealed record IsNull(SqlTwin Operand, bool IsNegated) : SqlTwin
    {
        public override object? Evaluate(IReadOnlyDictionary<string, string> properties) =>
            Operand.Evaluate(properties) is null != IsNegated;

        public override string ToString() => $"({Operand} IS {(IsNegated ? "NOT " : "")}NULL)";
    }

    /// <summary>One of = &lt;&gt; &lt; &lt;= &gt; &gt;=.</summary>
    public sealed record Compare(SqlTwin Left, string Operation, SqlTwin Right) : SqlTwin
    {
        public override object? Evaluate(IReadOnlyDictionary<string, string> properties)
        {
            var left = Left.Evaluate(properties);
            var right = Right.Evaluate(properties);
            if (Operation is "=" or "<>")
            {
                bool? equal = (left, right) switch
                {
                    (null, null) => true,
                    (null, _) => null,
                    (_, null) => false,
                    (string first, string second) => first == second,
                    _ => Order(left, right) == 0,
                };
                return Operation == "=" ? equal : !equal;
            }

            if (left is null || right is null)
            {
                return null;
            }

            var order = left is string one && right is string two ? Double(one).CompareTo(Double(two)) : Order(left, right);
            return Operation switch
            {
                "<" => order < 0,
                "<=" => order <= 0,
                ">" => order > 0,
                _ => order >= 0,
            };
        }

        public override string ToString() => $"({Left} {Operation} {Right})";

        private static int Order(object left, object right)
        {
            left = left is string first ? Read(first, right) : left;
            right = right is string second ? Read(second, left) : right;
            return left is double || right is double
                ? Convert.ToDouble(left, CultureInfo.InvariantCulture).CompareTo(Convert.ToDouble(right, CultureInfo.InvariantCulture))
                : Convert.ToInt64(left, CultureInfo.InvariantCulture).CompareTo(Convert.ToInt64(right, CultureInfo.InvariantCulture));
        }

        private static object Read(string text, object like) => like switch
        {
            double => Double(text),
            int => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
                ? value
                : throw new FormatException(),
            _ => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
                ? value
                : throw new FormatException(),
        };

        private static double Double(string text) =>
            text.All(unit => char.IsAsciiDigit(unit) || unit is '+' or '-' or '.' or 'e' or 'E' or ' ')
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                ? value
                : throw new FormatException();
    }

    public sealed record Between(SqlTwin Value, SqlTwin Low, SqlTwin High, bool IsNegated) : SqlTwin
    {
        public override object? Evaluate(IReadOnlyDictionary<string, string> properties) => IsNegated
            ? new Or(new Compare(Value, "<", Low), new Compare(Value, ">", High)).Evaluate(properties)
            : new And(new Compare(Value, ">=", Low), new Compare(Value, "<=", High)).Evaluate(properties);

        public override string ToString() => $"({Value} {(IsNegated ? "NOT " : "")}BETWEEN {Low} AND {High})";
    }

    public sealed record In(string Name, string[] Texts, bool IsNegated) : SqlTwin
    {
        public override object? Evaluate(IReadOnlyDictionary<string, string> properties) =>
            properties.TryGetValue(Name, out var value) ? Texts.Contains(value) != IsNegated : null;

        public override string ToString() =>
            $"({Name} {(IsNegated ? "NOT " : "")}IN ({string.Join(", ", Texts.Select(text => new Literal(text)))}))";
    }

    /// <summary>CONTAINS, STARTSWITH or ENDSWITH.</summary>
    public sealed record Search(string Name, string Word, string Wanted, bool IsNegated) : SqlTwin
    {
        public override object? Evaluate(IReadOnlyDictionary<string, string> properties)
        {
            if (!properties.TryGetValue(Name, out var value) || Wanted.Length == 0)
            {
                return false;
            }

            var isFound = Word switch
            {
                "CONTAINS" => value.Contains(Wanted, StringComparison.Ordinal),
                "STARTSWITH" => value.StartsWith(Wanted, StringComparison.Ordinal),
                _ => value.EndsWith(Wanted, StringComparison.Ordinal),
            };
            return isFound != IsNegated;
        }

        public override string ToString() => $"({Name} {(IsNegated ? "NOT " : "")}{Word} {new Literal(Wanted)})";
    }
}
