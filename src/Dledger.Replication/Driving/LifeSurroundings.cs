using Dledger.Replication.Applying;
using Dledger.Replication.Bootstrapping;
using Dledger.Replication.Clocks;
using Dledger.Replication.Installing;
using Dledger.Replication.Loops;
using Dledger.Replication.Members;
using Dledger.Replication.Peers;
using Dledger.Replication.Repairing;
using Dledger.Replication.Writing;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication.Driving;

/// <summary>What a node's life works with; made by <see cref="ReplicationNode"/>.</summary>
internal sealed record LifeSurroundings
{
    public required ReplicationOptions Options { get; init; }

    public required NodeStorage Storage { get; init; }

    public required IdGenerator Ids { get; init; }

    public required IPeerTransport Transport { get; init; }

    public required IStateMachine Machine { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Seed of the election timers, before the node id is mixed in.</summary>
    public required ulong Seed { get; init; }

    public required ILogger Logger { get; init; }

    public required ILoopHost Host { get; init; }

    public required LogClock Clock { get; init; }

    public required LoopInbox Inbox { get; init; }

    public required PeerGate Gate { get; init; }

    public required AddressBook Addresses { get; init; }

    public required FaultLatch Faults { get; init; }

    public required ILogWriterReports WriterReports { get; init; }

    public required IApplyReports ApplyReports { get; init; }

    /// <summary>Publishes what the node looks like now.</summary>
    public required Action<NodePicture> Publish { get; init; }

    public required IScrubReports ScrubReports { get; init; }

    public required ISnapshotReports SnapshotReports { get; init; }

    /// <summary>Lets go of snapshots that no other node reads any more.</summary>
    public required Action CloseIdleSnapshots { get; init; }

    /// <summary>The log is open; called before the loops of the parts start. Null: it is closed again.</summary>
    public required Action<RunningParts?> PartsMade { get; init; }

    /// <summary>Ends the node's service for a reason.</summary>
    public required Action<string, Exception> Fail { get; init; }
}
