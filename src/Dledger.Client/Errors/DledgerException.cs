namespace Dledger.Client.Errors;

/// <summary>The root of everything that a call to a cluster can throw, besides cancellation and misuse of an argument.</summary>
/// <remarks>The message says what happened and on what; <see cref="Hint"/> what to try next.</remarks>
public abstract class DledgerException : Exception
{
    private protected DledgerException(string message, string hint, bool isTransient, Exception? cause)
        : base(hint.Length == 0 ? message : $"{message} {hint}", cause)
    {
        Summary = message;
        Hint = hint;
        IsTransient = isTransient;
    }

    /// <summary>What happened, on what.</summary>
    public string Summary { get; }

    /// <summary>What to try next; may be empty.</summary>
    public string Hint { get; }

    /// <summary>The same call may succeed later without any change.</summary>
    public bool IsTransient { get; }
}
