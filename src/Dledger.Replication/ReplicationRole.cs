namespace Dledger.Replication;

/// <summary>The part that a node plays in its group at a moment.</summary>
public enum ReplicationRole
{
    /// <summary>Does not vote or lead: no genesis yet, a damaged log, or stopped by a fault.</summary>
    Passive,

    /// <summary>Follows a leader or waits for one.</summary>
    Follower,

    /// <summary>Asks whether an election would succeed (Raft thesis, section 9.6).</summary>
    PreCandidate,

    /// <summary>Asks for votes.</summary>
    Candidate,

    /// <summary>Leads; serves only when <see cref="ReplicationStatus.IsServing"/>.</summary>
    Leader,
}
