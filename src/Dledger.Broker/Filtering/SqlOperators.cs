namespace Dledger.Broker.Filtering;

/// <summary>AND or OR over two or more parts, from left to right, as far as needed. Three-valued; an error on the way ends it.</summary>
internal sealed class SqlLogic(bool isAnd, SqlNode[] parts) : SqlNode(1 + parts.Max(part => part.Depth))
{
    public override bool IsBoolean => true;

    public override SqlValue Evaluate(in SqlMessage message)
    {
        var isUnknown = false;
        foreach (var part in parts)
        {
            var value = part.Evaluate(message);
            if (value.IsError)
            {
                return SqlValue.Error;
            }

            if (isAnd ? value.IsFalse : value.IsTrue)
            {
                return SqlValue.Of(!isAnd);
            }

            isUnknown |= value.IsNull;
        }

        return isUnknown ? SqlValue.Null : SqlValue.Of(isAnd);
    }
}

/// <summary>NOT, three-valued.</summary>
internal sealed class SqlNot(SqlNode operand) : SqlNode(1 + operand.Depth)
{
    public override bool IsBoolean => true;

    public override SqlValue Evaluate(in SqlMessage message) => operand.Evaluate(message).Not();
}

/// <summary>A bare property where a truth value is wanted: unknown when missing, else false, because properties are text.</summary>
internal sealed class SqlCast(SqlVariable variable) : SqlNode(2)
{
    public override bool IsBoolean => true;

    public override SqlValue Evaluate(in SqlMessage message) =>
        variable.Evaluate(message).IsNull ? SqlValue.Null : SqlValue.Of(false);
}

/// <summary>A minus sign: numbers change theirs, everything else becomes unknown.</summary>
internal sealed class SqlNegation(SqlNode operand) : SqlNode(1 + operand.Depth)
{
    public override SqlValue Evaluate(in SqlMessage message)
    {
        var value = operand.Evaluate(message);
        return value.Kind switch
        {
            SqlKind.Error => SqlValue.Error,
            SqlKind.Double => SqlValue.Of(-value.Real),
            SqlKind.Int32 or SqlKind.Int64 => SqlValue.Of(value.Kind, -value.Integer),
            _ => SqlValue.Null,
        };
    }
}

/// <summary><c>=</c> and its opposite.</summary>
internal sealed class SqlEquality(SqlNode left, SqlNode right, bool isNegated)
    : SqlNode(1 + Math.Max(left.Depth, right.Depth))
{
    public override bool IsBoolean => true;

    public override SqlValue Evaluate(in SqlMessage message)
    {
        var equal = SqlComparison.Equal(left.Evaluate(message), right.Evaluate(message));
        return isNegated ? equal.Not() : equal;
    }
}

/// <summary><c>IS NULL</c> and its opposite.</summary>
internal sealed class SqlNullTest(SqlNode operand, bool isNegated) : SqlNode(1 + operand.Depth)
{
    public override bool IsBoolean => true;

    public override SqlValue Evaluate(in SqlMessage message)
    {
        var value = operand.Evaluate(message);
        return value.IsError ? SqlValue.Error : SqlValue.Of(value.IsNull != isNegated);
    }
}

/// <summary><c>&lt;</c>, <c>&lt;=</c>, <c>&gt;</c>, <c>&gt;=</c>.</summary>
internal sealed class SqlOrder(SqlNode left, SqlNode right, SqlTokenKind operation)
    : SqlNode(1 + Math.Max(left.Depth, right.Depth))
{
    public override bool IsBoolean => true;

    public override SqlValue Evaluate(in SqlMessage message) =>
        SqlComparison.Order(left.Evaluate(message), right.Evaluate(message), operation);
}

/// <summary>A property among texts; unknown when it is missing.</summary>
internal sealed class SqlMembership(SqlVariable variable, SqlLiteral[] texts, bool isNegated) : SqlNode(2)
{
    public override bool IsBoolean => true;

    public override SqlValue Evaluate(in SqlMessage message)
    {
        var value = variable.Evaluate(message);
        if (value.IsNull)
        {
            return SqlValue.Null;
        }

        foreach (var text in texts)
        {
            if (value.Text.SequenceEqual(text.Value.Text))
            {
                return SqlValue.Of(!isNegated);
            }
        }

        return SqlValue.Of(isNegated);
    }
}

/// <summary>
/// CONTAINS, STARTSWITH, ENDSWITH and their opposites: false, the opposites too, when there is no text or nothing is searched for.
/// </summary>
internal sealed class SqlSearch(SqlNode operand, SqlLiteral wanted, SqlTokenKind operation, bool isNegated)
    : SqlNode(1 + operand.Depth)
{
    public override bool IsBoolean => true;

    public override SqlValue Evaluate(in SqlMessage message)
    {
        var value = operand.Evaluate(message);
        var text = wanted.Value.Text;
        if (value.IsError)
        {
            return SqlValue.Error;
        }

        if (value.Kind != SqlKind.Text || text.IsEmpty)
        {
            return SqlValue.Of(false);
        }

        var isFound = operation switch
        {
            SqlTokenKind.Contains => value.Text.IndexOf(text) >= 0,
            SqlTokenKind.StartsWith => value.Text.StartsWith(text),
            _ => value.Text.EndsWith(text),
        };
        return SqlValue.Of(isFound != isNegated);
    }
}
