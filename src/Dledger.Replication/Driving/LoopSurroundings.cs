using Dledger.Primitives;
using Dledger.Replication.Applying;
using Dledger.Replication.CatchingUp;
using Dledger.Replication.Clocks;
using Dledger.Replication.Installing;
using Dledger.Replication.Members;
using Dledger.Replication.Peers;
using Dledger.Replication.Tails;
using Dledger.Replication.Writing;
using Dledger.Storage.Logs;
using Dledger.Storage.Metadata;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication.Driving;

/// <summary>What a replication loop works with; made by the node once the log is open.</summary>
internal sealed record LoopSurroundings
{
    public required ReplicationOptions Options { get; init; }

    /// <summary>As last written; genesis is set.</summary>
    public required NodeMetadata Metadata { get; init; }

    public required CommitLogRecovery Recovery { get; init; }

    public required CommitLog Log { get; init; }

    public required TailCache Cache { get; init; }

    public required LogWriter Writer { get; init; }

    public required ApplyLoop Apply { get; init; }

    public required IPeerTransport Transport { get; init; }

    public required AddressBook Addresses { get; init; }

    public required LoopInbox Inbox { get; init; }

    public required LogClock Clock { get; init; }

    public required FaultLatch Faults { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>Seed of the election timers.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Where the state machine continues; committed.</summary>
    public required LogPosition Restored { get; init; }

    /// <summary>Outbound sessions that opened before the loop began.</summary>
    public required IReadOnlyList<OutboundOpened> OpenSessions { get; init; }

    public required SnapshotLoop Snapshots { get; init; }

    /// <summary>Reads what peers need and the tail cache does not hold.</summary>
    public required RangeReader Reader { get; init; }

    /// <summary>How full the disk is.</summary>
    public required DiskWatch Disk { get; init; }

    /// <summary>Lets go of snapshots that no other node reads any more.</summary>
    public required Action CloseIdleSnapshots { get; init; }

    /// <summary>Takes note of a place of the own log that cannot be read.</summary>
    public required Action<LogPosition> Damaged { get; init; }

    /// <summary>Publishes what the node looks like now.</summary>
    public required Action<NodePicture> Publish { get; init; }
}
