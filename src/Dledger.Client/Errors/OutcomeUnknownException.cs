namespace Dledger.Client.Errors;

/// <summary>The answer was lost on the way: the call may have taken effect, once.</summary>
public sealed class OutcomeUnknownException : DledgerException
{
    internal OutcomeUnknownException(string message, string hint, Exception? cause = null)
        : base(message, hint, isTransient: true, cause)
    {
    }
}
