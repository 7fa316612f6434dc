namespace Dledger.Replication;

/// <summary>When a log write counts as durable. Term, vote and genesis are synced in every mode.</summary>
public enum FlushMode
{
    /// <summary>After fdatasync: an acknowledged record survives the loss of power on all nodes.</summary>
    QuorumSync,

    /// <summary>
    /// After the write; the sync follows within 200 ms. An acknowledged record survives the death of any process, but
    /// not a loss of power on a majority of machines within that window.
    /// </summary>
    QuorumAsync,
}
