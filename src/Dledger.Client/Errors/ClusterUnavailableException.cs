namespace Dledger.Client.Errors;

/// <summary>No node took the call: none is reachable, none leads, or the cluster is busy. Nothing was done.</summary>
public sealed class ClusterUnavailableException : DledgerException
{
    internal ClusterUnavailableException(string message, string hint, Exception? cause = null)
        : base(message, hint, isTransient: true, cause)
    {
    }
}
