namespace Dledger.Replication.Bootstrapping;

/// <summary>How far a node without genesis has come.</summary>
internal enum Founding
{
    /// <summary>Other members are missing, or the founder has not told this node yet.</summary>
    Waits,

    /// <summary>The meta file holds a genesis.</summary>
    Done,

    /// <summary>The node was stopped before.</summary>
    Stopped,
}
