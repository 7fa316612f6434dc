namespace Dledger.Client.Errors;

/// <summary>The server refused the call for what it asks; nothing was done, and asking again will not help.</summary>
public sealed class RequestRefusedException : DledgerException
{
    internal RequestRefusedException(string message, string hint, string code, Exception? cause = null)
        : base(message, hint, isTransient: false, cause) => Code = code;

    /// <summary>Name of the protocol's code, such as <c>IllegalTopic</c>.</summary>
    public string Code { get; }
}
