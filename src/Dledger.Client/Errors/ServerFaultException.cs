namespace Dledger.Client.Errors;

/// <summary>The server failed in a way that it does not explain; its log does.</summary>
public sealed class ServerFaultException : DledgerException
{
    internal ServerFaultException(string message, string hint, Exception? cause = null)
        : base(message, hint, isTransient: false, cause)
    {
    }
}
