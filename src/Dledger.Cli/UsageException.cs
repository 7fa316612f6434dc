namespace Dledger.Cli;

/// <summary>The command line asks for something that cannot be; says what, and what to write instead.</summary>
internal sealed class UsageException(string message, string advice = "") : Exception(message)
{
    /// <summary>What to write instead; may be empty.</summary>
    public string Advice { get; } = advice;
}
