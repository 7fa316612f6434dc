namespace Dledger.Broker.Filtering;

/// <summary>Why an expression is refused. Does not leave <see cref="SqlFilter.TryParse"/>.</summary>
/// <param name="at">Character of the text, from 0 on.</param>
/// <param name="reason">What is wrong there, and what to write instead.</param>
internal sealed class SqlSyntaxException(int at, string reason) : Exception(reason)
{
    public int At { get; } = at;
}
