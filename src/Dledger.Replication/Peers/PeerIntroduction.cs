using Dledger.Primitives;
using Dledger.Raft.Peers;

namespace Dledger.Replication.Peers;

/// <summary>
/// What a node says of itself when a connection opens: the body of Hello and of an accepting HelloReply.
/// </summary>
public sealed record PeerIntroduction
{
    /// <summary>The version of the peer protocol and of the log format that this build writes.</summary>
    public const int FormatLevelCurrent = 2;

    /// <summary>The group whose messages the connection carries.</summary>
    public required RaftGroupId Group { get; init; }

    /// <summary>The node.</summary>
    public required NodeId Node { get; init; }

    /// <summary>Guid.Empty on a node without genesis.</summary>
    public required Guid ClusterId { get; init; }

    /// <summary>The identity of its data directory.</summary>
    public required Guid StorageId { get; init; }

    /// <summary>Peers refuse a level that they do not know.</summary>
    public int FormatLevel { get; init; } = FormatLevelCurrent;

    public required PeerState State { get; init; }

    /// <summary>Its durable term: what a message reveals has been synced (invariant I3).</summary>
    public required Term Term { get; init; }

    public required Term LastTerm { get; init; }

    public required LogPosition Start { get; init; }

    public required LogPosition End { get; init; }

    public required LogPosition Durable { get; init; }

    /// <summary>Microseconds since the Unix epoch, to find clocks that are far off.</summary>
    public required long WallClock { get; init; }

    /// <summary>Where clients reach the node, host:port; empty when it does not say.</summary>
    public string ClientAddress { get; init; } = "";
}
