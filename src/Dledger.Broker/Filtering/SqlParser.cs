using System.Globalization;
using Dledger.Broker.Naming;

namespace Dledger.Broker.Filtering;

/// <summary>Reads an expression by recursive descent and refuses what RocketMQ's compiler refuses. Grammar: docs/filters.md.</summary>
/// <remarks>
/// The stack is bounded twice: by how deep the text nests, and by how many levels the nodes make, since operators of one rank lean to
/// the left and may be chained without a bracket.
/// </remarks>
internal sealed class SqlParser
{
    /// <summary>Deepest nesting of brackets and signs, and most levels of nodes.</summary>
    public const int DepthMax = 200;

    private readonly string _text;
    private readonly SqlLexer _lexer;
    private SqlToken _token;
    private int _depth;

    private SqlParser(string text)
    {
        _text = text;
        _lexer = new SqlLexer(text);
        _token = _lexer.Next();
    }

    /// <summary>The compiled expression.</summary>
    /// <exception cref="SqlSyntaxException">It is none.</exception>
    public static SqlNode Parse(string text)
    {
        var parser = new SqlParser(text);
        var root = Truth(parser.Or(), 0);
        return parser._token.Kind == SqlTokenKind.End ? root : throw parser.Unexpected("the end of the expression");
    }

    private SqlNode Or() => Chain(SqlTokenKind.Or, And);

    private SqlNode And() => Chain(SqlTokenKind.And, Equality);

    private SqlNode Chain(SqlTokenKind separator, Func<SqlNode> part)
    {
        var start = _token.Start;
        var node = part();
        if (_token.Kind != separator)
        {
            return node;
        }

        var parts = new List<SqlNode> { Truth(node, start) };
        while (TryTake(separator))
        {
            start = _token.Start;
            parts.Add(Truth(part(), start));
        }

        return Checked(new SqlLogic(separator == SqlTokenKind.And, [.. parts]), start);
    }

    private SqlNode Equality()
    {
        var start = _token.Start;
        var node = Comparison();
        while (true)
        {
            var isNegated = _token.Kind == SqlTokenKind.NotEqual;
            if (TryTake(SqlTokenKind.Equal) || TryTake(SqlTokenKind.NotEqual))
            {
                var right = _token.Start;
                node = Equal(node, start, Comparison(), right, isNegated);
            }
            else if (TryTake(SqlTokenKind.Is))
            {
                isNegated = TryTake(SqlTokenKind.Not);
                Take(SqlTokenKind.Null, "NULL or NOT NULL");
                node = Checked(new SqlNullTest(node, isNegated), start);
            }
            else
            {
                return node;
            }
        }
    }

    private static SqlNode Equal(SqlNode left, int leftAt, SqlNode right, int rightAt, bool isNegated)
    {
        foreach (var (side, at) in ((SqlNode, int)[])[(left, leftAt), (right, rightAt)])
        {
            if (side is SqlLiteral { Kind: SqlKind.Null })
            {
                throw new SqlSyntaxException(at, "nothing equals NULL; write IS NULL or IS NOT NULL");
            }
        }

        if (left is SqlLiteral first && right is SqlLiteral second && first.IsBoolean != second.IsBoolean)
        {
            throw new SqlSyntaxException(leftAt, "TRUE and FALSE cannot be compared with another literal");
        }

        return Checked(new SqlEquality(left, right, isNegated), leftAt);
    }

    private SqlNode Comparison()
    {
        var start = _token.Start;
        var node = Unary();
        while (true)
        {
            switch (_token.Kind)
            {
                case SqlTokenKind.Less or SqlTokenKind.LessOrEqual or SqlTokenKind.Greater or SqlTokenKind.GreaterOrEqual:
                    var operation = Take().Kind;
                    CheckOrdered(node, start);
                    var at = _token.Start;
                    var right = Unary();
                    CheckOrdered(right, at);
                    node = Checked(new SqlOrder(node, right, operation), start);
                    break;
                case SqlTokenKind.Not:
                    Take();
                    node = Checked(Condition(node, start, isNegated: true), start);
                    break;
                case SqlTokenKind.Between or SqlTokenKind.In or SqlTokenKind.Contains or SqlTokenKind.StartsWith
                    or SqlTokenKind.EndsWith:
                    node = Checked(Condition(node, start, isNegated: false), start);
                    break;
                default:
                    return node;
            }
        }
    }

    private SqlNode Condition(SqlNode node, int start, bool isNegated)
    {
        var word = _token;
        switch (word.Kind)
        {
            case SqlTokenKind.Between:
                return Between(node, start, isNegated);
            case SqlTokenKind.In:
                Take();
                return node is SqlVariable variable
                    ? new SqlMembership(variable, Texts(), isNegated)
                    : throw new SqlSyntaxException(start, "only a property name can stand before IN");
            case SqlTokenKind.Contains or SqlTokenKind.StartsWith or SqlTokenKind.EndsWith:
                Take();
                return new SqlSearch(node, TakeText(), word.Kind, isNegated);
            default:
                throw Unexpected("BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH");
        }
    }

    private SqlNode Between(SqlNode node, int start, bool isNegated)
    {
        Take();
        var lowAt = _token.Start;
        var low = Unary();
        Take(SqlTokenKind.And, "AND");
        var highAt = _token.Start;
        var high = Unary();
        CheckOrdered(node, start);
        CheckOrdered(low, lowAt);
        CheckOrdered(high, highAt);
        if (low is SqlLiteral first && high is SqlLiteral second
            && SqlComparison.Order(first.Value, second.Value, SqlTokenKind.Greater).IsTrue)
        {
            throw new SqlSyntaxException(lowAt, "the first bound of BETWEEN is greater than the second");
        }

        return new SqlLogic(
            !isNegated,
            [
                new SqlOrder(node, low, isNegated ? SqlTokenKind.Less : SqlTokenKind.GreaterOrEqual),
                new SqlOrder(node, high, isNegated ? SqlTokenKind.Greater : SqlTokenKind.LessOrEqual),
            ]);
    }

    private SqlLiteral[] Texts()
    {
        Take(SqlTokenKind.Open, "'('");
        var texts = new List<SqlLiteral> { TakeText() };
        while (TryTake(SqlTokenKind.Comma))
        {
            texts.Add(TakeText());
        }

        Take(SqlTokenKind.Close, "')' or ','");
        return [.. texts];
    }

    private SqlNode Unary()
    {
        Descend();
        var start = _token.Start;
        SqlNode node;
        if (TryTake(SqlTokenKind.Plus))
        {
            node = Unary();
        }
        else if (TryTake(SqlTokenKind.Minus))
        {
            node = Checked(new SqlNegation(Unary()), start);
        }
        else if (TryTake(SqlTokenKind.Not))
        {
            var at = _token.Start;
            node = Checked(new SqlNot(Truth(Unary(), at)), start);
        }
        else
        {
            node = Primary();
        }

        _depth--;
        return node;
    }

    private SqlNode Primary()
    {
        var token = _token;
        switch (token.Kind)
        {
            case SqlTokenKind.Text:
                return TakeText();
            case SqlTokenKind.Integer:
                return Integer(Take());
            case SqlTokenKind.Float:
                return Float(Take());
            case SqlTokenKind.True:
                Take();
                return SqlLiteral.Of(true);
            case SqlTokenKind.False:
                Take();
                return SqlLiteral.Of(false);
            case SqlTokenKind.Null:
                Take();
                return SqlLiteral.Null;
            case SqlTokenKind.Name:
                Take();
                return new SqlVariable(TextOf(token));
            case SqlTokenKind.Open:
                Take();
                var node = Or();
                Take(SqlTokenKind.Close, "')'");
                return node;
            default:
                throw Unexpected("a property name, a literal or '('");
        }
    }

    private SqlLiteral Integer(SqlToken token)
    {
        var digits = _text.AsSpan(token.Start, token.Length).TrimEnd("lL");
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? SqlLiteral.Of(value)
            : throw new SqlSyntaxException(token.Start, "the whole number does not fit 64 bits");
    }

    private SqlLiteral Float(SqlToken token)
    {
        var value = double.Parse(
            _text.AsSpan(token.Start, token.Length), NumberStyles.Float, CultureInfo.InvariantCulture);
        return double.IsFinite(value)
            ? SqlLiteral.Of(value)
            : throw new SqlSyntaxException(token.Start, "the number is above the range of a double");
    }

    private SqlLiteral TakeText()
    {
        var token = _token;
        Take(SqlTokenKind.Text, "text in single quotes");
        return SqlLiteral.Of(
            _text.Substring(token.Start + 1, token.Length - 2).Replace("''", "'", StringComparison.Ordinal));
    }

    // Operands of AND, OR, NOT and the whole expression.
    private static SqlNode Truth(SqlNode node, int at) => node switch
    {
        { IsBoolean: true } => node,
        SqlVariable variable => new SqlCast(variable),
        _ => throw new SqlSyntaxException(at, "a condition is wanted here, and this is only a value"),
    };

    private static void CheckOrdered(SqlNode node, int at)
    {
        if (node.IsBoolean || node is SqlLiteral { IsNumber: false })
        {
            throw new SqlSyntaxException(at, "only numbers and properties have an order; this is neither");
        }
    }

    private static SqlNode Checked(SqlNode node, int at) =>
        node.Depth <= DepthMax ? node : throw TooDeep(at);

    private static SqlSyntaxException TooDeep(int at) =>
        new(at, $"the expression nests deeper than {DepthMax} levels");

    private void Descend()
    {
        if (++_depth > DepthMax)
        {
            throw TooDeep(_token.Start);
        }
    }

    private bool TryTake(SqlTokenKind kind)
    {
        if (_token.Kind != kind)
        {
            return false;
        }

        Take();
        return true;
    }

    private SqlToken Take()
    {
        var token = _token;
        _token = _lexer.Next();
        return token;
    }

    private void Take(SqlTokenKind kind, string wanted)
    {
        if (!TryTake(kind))
        {
            throw Unexpected(wanted);
        }
    }

    private string TextOf(SqlToken token) => _text.Substring(token.Start, token.Length);

    private SqlSyntaxException Unexpected(string wanted)
    {
        if (_token.Kind == SqlTokenKind.End)
        {
            return new SqlSyntaxException(_token.Start, $"the expression ends where {wanted} is wanted");
        }

        var text = TextOf(_token);
        return new SqlSyntaxException(_token.Start, text.Equals("LIKE", StringComparison.OrdinalIgnoreCase)
            ? "LIKE is not known; write CONTAINS, STARTSWITH or ENDSWITH"
            : $"'{Names.Printable(text)}' stands where {wanted} is wanted");
    }
}
