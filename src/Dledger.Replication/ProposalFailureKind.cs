namespace Dledger.Replication;

/// <summary>What is known about a proposal that failed.</summary>
public enum ProposalFailureKind
{
    /// <summary>Never appended: this node does not lead. Try the leader.</summary>
    NotLeader,

    /// <summary>Never appended: a limit was reached. Try again a little later.</summary>
    Busy,

    /// <summary>
    /// Appended, but leadership was lost before the commit was seen: it may appear once in the log, or never.
    /// </summary>
    OutcomeUnknown,

    /// <summary>Never appended: this node cannot take part (damaged log, no genesis yet, failed disk).</summary>
    Unavailable,

    /// <summary>Never appended: this node is shutting down.</summary>
    Stopping,
}
