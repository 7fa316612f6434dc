namespace Dledger.Client.Errors;

/// <summary>No node took the call: none is reachable, none leads, or the cluster is busy. Nothing was done.</summary>
public sealed class ClusterUnavailableException : DledgerException
{
    /// <summary>When the cluster said that it would take the call; null when it did not say.</summary>
    public TimeSpan? RetryAfter { get; internal init; }

    internal ClusterUnavailableException(string message, string hint, Exception? cause = null)
        : base(message, hint, isTransient: true, cause)
    {
    }
}
