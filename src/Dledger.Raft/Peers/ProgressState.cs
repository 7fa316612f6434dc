namespace Dledger.Raft.Peers;

/// <summary>How a leader sends to one peer.</summary>
public enum ProgressState
{
    /// <summary>Looking for the match position: one append outstanding.</summary>
    Probe,

    /// <summary>Sending ahead, up to the window.</summary>
    Replicate,

    /// <summary>Needs a snapshot: its match lies before the leader's log start, or no term is common.</summary>
    Snapshot,
}
