namespace Dledger.Raft;

/// <summary>What a node is in its group at present (Raft section 5.1; pre-candidates: Raft thesis, section 9.6).</summary>
public enum RaftRole
{
    /// <summary>Without genesis, or repairing its log: takes no part in elections or replication.</summary>
    Passive,

    /// <summary>Follows the leader of the present term, or waits for one.</summary>
    Follower,

    /// <summary>Asks whether it could win an election, without touching its term.</summary>
    PreCandidate,

    /// <summary>Asks for votes in its own new term.</summary>
    Candidate,

    /// <summary>Cuts frames, replicates them and decides what is committed.</summary>
    Leader,
}
