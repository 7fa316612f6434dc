namespace Dledger.Server.Options;

/// <summary>The configuration cannot be used. Nothing was opened.</summary>
public sealed class ServerOptionsException(IReadOnlyList<string> problems)
    : Exception("The configuration has " + (problems.Count == 1 ? "a problem" : $"{problems.Count} problems")
        + ":" + string.Concat(problems.Select(problem => Environment.NewLine + "  " + problem)))
{
    /// <summary>Every problem, each naming the key, where it was set, and what is allowed.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}
