using Dledger.Broker.Naming;
using Dledger.Storage.Records;

namespace Dledger.Broker.Filtering;

/// <summary>A compiled SQL92 filter (protocol section 6). Immutable; any thread.</summary>
public sealed class SqlFilter
{
    private readonly SqlNode _root;

    private SqlFilter(string text, SqlNode root)
    {
        Text = text;
        _root = root;
    }

    /// <summary>The expression as written, without blanks around it.</summary>
    public string Text { get; }

    /// <summary>Compiles an expression, or says where and why it is none.</summary>
    public static bool TryParse(string? expression, out SqlFilter? filter, out Violation violation)
    {
        filter = null;
        violation = default;
        var text = expression ?? "";
        if (string.IsNullOrWhiteSpace(text))
        {
            violation = new Violation(BrokenRule.FilterExpression, "the SQL filter expression is empty");
            return false;
        }

        if (text.Length > Limits.FilterLengthMax)
        {
            violation = new Violation(
                BrokenRule.FilterExpression,
                $"the filter expression has {text.Length} characters; the limit is {Limits.FilterLengthMax}");
            return false;
        }

        try
        {
            filter = new SqlFilter(text.Trim(), SqlParser.Parse(text));
            return true;
        }
        catch (SqlSyntaxException fault)
        {
            violation = new Violation(
                BrokenRule.FilterExpression,
                $"the SQL filter expression is wrong at character {fault.At + 1}: {fault.Message}");
            return false;
        }
    }

    /// <summary>Whether a verified record matches. Unknown and "cannot be evaluated" do not.</summary>
    internal bool Matches(in RecordView record) => Matches(SqlMessage.Of(record));

    internal bool Matches(in SqlMessage message) => _root.Evaluate(message).IsTrue;
}
