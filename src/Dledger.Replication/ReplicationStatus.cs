using Dledger.Primitives;

namespace Dledger.Replication;

/// <summary>An immutable picture of one node's replication state; published by the replication loop.</summary>
/// <remarks>applied &lt;= commit &lt;= end and durable &lt;= end; commit may exceed the own durable position.</remarks>
public sealed record ReplicationStatus
{
    /// <summary>This node.</summary>
    public required NodeId Self { get; init; }

    public required ReplicationRole Role { get; init; }

    public required Term Term { get; init; }

    /// <summary>The leader of <see cref="Term"/> as far as known.</summary>
    public required NodeId Leader { get; init; }

    /// <summary>True on a leader that has applied the first frame of its own term.</summary>
    public required bool IsServing { get; init; }

    public required LogPosition Commit { get; init; }

    public required LogPosition Applied { get; init; }

    /// <summary>Position behind the last frame of the own log.</summary>
    public required LogPosition End { get; init; }

    /// <summary>The own log is synced up to here.</summary>
    public required LogPosition Durable { get; init; }

    /// <summary>Every other node with a part in the configuration, by number.</summary>
    public required IReadOnlyList<PeerStatus> Peers { get; init; }

    /// <summary>
    /// Every member of the configuration in force here, by number, this node among them if it is one. Empty until the log is
    /// open.
    /// </summary>
    public IReadOnlyList<MemberStatus> Members { get; init; } = [];

    /// <summary>Whether this node, with its present data directory, is a member: a voter or a learner.</summary>
    public bool IsMember { get; init; }

    /// <summary>Leadership is kept away from this node until it is undrained or starts again.</summary>
    public bool IsDrained { get; init; }

    /// <summary>
    /// It may have lost messages that it had acknowledged, and decides nothing until it has got back all that was
    /// committed.
    /// </summary>
    public bool HasLoss { get; init; }

    /// <summary>Why this node takes no part (damaged log, failed disk, no genesis), or null when it does.</summary>
    public string? UnavailableReason { get; init; }

    /// <summary>A graceful stop has begun; proposals are refused.</summary>
    public bool IsStopping { get; init; }
}
