using Dledger.Primitives;

namespace Dledger.Raft.Messages;

/// <summary>What a follower has of the leader's log. Cumulative: a later one replaces all earlier ones.</summary>
/// <remarks><c>Durable &lt;= Received</c>. A refusal because of the sender's older term carries only the newer term.</remarks>
public sealed record AppendReply : PeerMessage
{
    /// <summary>The stream of the newest request handled.</summary>
    public required int Stream { get; init; }

    /// <summary><see cref="AppendRequest.SentAt"/> of the newest request handled.</summary>
    public required long SentAt { get; init; }

    /// <summary>Known to equal the leader's log and synced.</summary>
    public required LogPosition Durable { get; init; }

    /// <summary>Known to equal the leader's log, perhaps not yet synced.</summary>
    public required LogPosition Received { get; init; }

    /// <summary>Applied by the follower's state machine; informative.</summary>
    public LogPosition Applied { get; init; }

    /// <summary>Age in microseconds of the follower's oldest unfinished sync; 0 when none is unfinished.</summary>
    public long SyncAge { get; init; }

    /// <summary>
    /// How full the follower's disk is, 0 to 100; 0 as well while it has room enough in any case. Null: it did not say. Informative.
    /// </summary>
    public int? DiskUsedPercent { get; init; }

    /// <summary>Set when the request did not fit the follower's log.</summary>
    public LogMismatch? Mismatch { get; init; }

    /// <inheritdoc/>
    public override bool IsReply => true;
}
