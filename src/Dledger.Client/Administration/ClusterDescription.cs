namespace Dledger.Client.Administration;

/// <summary>The nodes of a cluster as they describe themselves.</summary>
/// <param name="GroupName">Stable name of the replication group.</param>
/// <param name="Nodes">By number.</param>
public sealed record ClusterDescription(string GroupName, IReadOnlyList<NodeDescription> Nodes);

/// <summary>The part that a node plays.</summary>
public enum NodeRole
{
    Unknown = 0,

    /// <summary>The node did not answer the one that was asked.</summary>
    Unreachable = 1,
    Follower = 2,
    Candidate = 3,
    Leader = 4,

    /// <summary>It takes no part until it is repaired; the state says why.</summary>
    Passive = 5,
}

/// <summary>The part that a node plays in the configuration of the cluster.</summary>
public enum MemberRole
{
    Unknown = 0,

    /// <summary>It is not part of the cluster, or not with its present data directory.</summary>
    None = 1,

    /// <summary>It decides.</summary>
    Voter = 2,

    /// <summary>It receives everything and decides nothing.</summary>
    Learner = 3,

    /// <summary>It will be a voter when the change under way is over.</summary>
    Joining = 4,

    /// <summary>It will be no voter when the change under way is over.</summary>
    Leaving = 5,
}

/// <summary>One node. Positions are bytes of the log: applied &lt;= commit &lt;= end and durable &lt;= end.</summary>
public sealed record NodeDescription
{
    public required int NodeId { get; init; }

    public required string ClientAddress { get; init; }

    public required string PeerAddress { get; init; }

    public required NodeRole Role { get; init; }

    public long Term { get; init; }

    /// <summary>The leader that this node knows; 0: none.</summary>
    public int LeaderId { get; init; }

    public long CommitPosition { get; init; }

    public long AppliedPosition { get; init; }

    public long EndPosition { get; init; }

    public long DurablePosition { get; init; }

    /// <summary>Bytes that the leader has and this node has not made durable; -1: unknown.</summary>
    public long LagBytes { get; init; }

    /// <summary>It leads and has applied the start of its term.</summary>
    public bool IsServing { get; init; }

    public MemberRole MemberRole { get; init; }

    /// <summary>Leadership is kept away from it.</summary>
    public bool IsDrained { get; init; }

    /// <summary>When it calls a copy durable: <c>QUORUM_SYNC</c> after fdatasync, <c>QUORUM_ASYNC</c> in the page cache; empty: unknown.</summary>
    public string FlushMode { get; init; } = "";

    /// <summary>Of its program; empty: unknown.</summary>
    public string Version { get; init; } = "";

    /// <summary><c>ok</c>, or why the node does not take its full part.</summary>
    public string State { get; init; } = "";
}
