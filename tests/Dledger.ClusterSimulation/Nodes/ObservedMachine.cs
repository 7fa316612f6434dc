using System.Globalization;
using Dledger.Broker;
using Dledger.Broker.Commands;
using Dledger.ClusterSimulation.Mutations;
using Dledger.Replication;
using Dledger.Storage.Frames;
using Dledger.Storage.Records;
using Dledger.Storage.Snapshots;

namespace Dledger.ClusterSimulation.Nodes;

/// <summary>The broker's state machine with the oracle looking over its shoulder.</summary>
internal sealed class ObservedMachine(SimulatedCluster cluster, SimulatedNode node, BrokerNode broker) : IStateMachine
{
    private readonly IStateMachine _machine = broker.StateMachine;

    private readonly Dictionary<(int Group, int Topic, int Queue), long> _finished = [];

    private long _checkpointed = -1;
    private LogPosition? _installed;

    /// <summary>Applied up to here.</summary>
    public LogPosition Applied { get; private set; }

    public ulong StateHash => broker.Machine.StateHash;

    /// <inheritdoc/>
    public long NextDueLogTime => _machine.NextDueLogTime;

    /// <inheritdoc/>
    public LogPosition Restore(IRecoveredLog log)
    {
        // With a log that was given up went what the node knew of the commit position.
        var before = node.Replication!.Status.HasLoss ? LogPosition.Zero : LogPosition.Max(Applied, node.Committed);
        Applied = _machine.Restore(
            Mutation == Mutation.CheckpointAheadOfLog ? new CredulousLog(log) : log);
        _checkpointed = Applied.Value;
        _finished.Clear();
        if (Applied > LogPosition.Zero)
        {
            cluster.Marks.Reach("state restored from a checkpoint");
            if (Applied > log.DurableEnd)
            {
                cluster.Marks.Reach("snapshot installed");
            }

            cluster.Checks.Check(
                "I28",
                Applied <= log.DurableEnd || Applied == log.InstalledState,
                $"node {node.Id} restored state at {Applied}, its log ends at {log.DurableEnd}");
            var isInstalled = Applied == log.InstalledState;
            if (isInstalled && _installed != log.InstalledState)
            {
                cluster.Checks.Check(
                    "I30", Applied >= before, $"node {node.Id} installed a snapshot at {Applied} and had committed {before}");
            }

            _installed = log.InstalledState;
            cluster.Oracle.Restored(node, Applied, StateHash, isInstalled);
        }

        return Applied;
    }

    /// <inheritdoc/>
    public void Apply(in CommittedFrame frame)
    {
        // The oracle first: a caller who is answered by this frame is checked against it.
        cluster.Oracle.Observe(node, frame);
        ApplyMutated(frame);
        if (cluster.Scenario.HasSeeks && HasSeek(frame))
        {
            _finished.Clear();
        }

        Applied = frame.Summary.End;
        if (cluster.Oracle.IsHashed(frame.Summary))
        {
            cluster.Oracle.Hashed(node, Applied, StateHash);
            CheckFinished();
        }
    }

    /// <inheritdoc/>
    public void Handle(IStateMachineRequest request) => _machine.Handle(request);

    /// <inheritdoc/>
    public void LeadershipChanged(Leadership leadership) => _machine.LeadershipChanged(leadership);

    /// <inheritdoc/>
    public void Due(long logTimeNow) => _machine.Due(logTimeNow);

    /// <inheritdoc/>
    public Action? Maintain(LogPosition durable)
    {
        var work = _machine.Maintain(Mutation == Mutation.CheckpointAheadOfLog ? Applied : durable);
        if (work is not null && broker.Machine.IsWritingCheckpoint)
        {
            // A checkpoint was cut here. It is on the disk only later, when more is durable; whoever installs it is compared with
            // this (I31).
            cluster.Checks.Check(
                "I28", Applied <= durable, $"node {node.Id} cuts a checkpoint at {Applied}, durable is {durable}");
            cluster.Oracle.Hashed(node, Applied, StateHash);
        }

        var start = node.Replication!.Segments is [var first, ..] ? first.Base.Value : 0;
        var isCovered = start == 0;
        foreach (var name in node.Disk.Disk.List("state"))
        {
            if (!long.TryParse(name, CultureInfo.InvariantCulture, out var position))
            {
                continue;
            }

            isCovered |= position >= start;
            if (position > _checkpointed)
            {
                _checkpointed = position;
                var own = node.Replication!.Status.Durable;
                cluster.Checks.Check(
                    "I28", position <= own.Value, $"node {node.Id} wrote a checkpoint at {position}, durable is {own}");
            }
        }

        CheckStart(start, isCovered);
        return work;
    }

    // What is left is enough to begin from, and nothing went that the cluster has not forgotten.
    private void CheckStart(long start, bool isCovered) => cluster.Checks.Check(
        "I29",
        start <= cluster.Oracle.LogStart.Value && isCovered,
        $"node {node.Id}: its log begins at {start}, the cluster keeps from {cluster.Oracle.LogStart}, "
            + $"checkpoints {string.Join(", ", node.Disk.Disk.List("state"))}");

    /// <inheritdoc/>
    public SnapshotSource? OpenSnapshot(in ChainTail logStart, ReadOnlyMemory<byte> attachment) =>
        _machine.OpenSnapshot(logStart, attachment);

    /// <inheritdoc/>
    public void Stop() => _machine.Stop();

    private static bool HasSeek(in CommittedFrame frame)
    {
        var records = new RecordEnumerator(frame.Payload.Span, LogPosition.Zero);
        while (records.MoveNext())
        {
            if (records.Current.Kind == RecordKind.ResetOffset && SeekCommand.IsSeek(records.Current.Body))
            {
                return true;
            }
        }

        return false;
    }

    private void CheckFinished()
    {
        foreach (var group in broker.Machine.State.Groups.All)
        {
            foreach (var (topicId, subscription) in group.Subscriptions)
            {
                foreach (var cursor in subscription.Cursors)
                {
                    var key = (group.View.Id, topicId, cursor.QueueId);
                    var before = _finished.GetValueOrDefault(key);
                    cluster.Checks.Check(
                        "I48",
                        cursor.Commit >= before,
                        $"node {node.Id}: group {group.View.Name} finished {before} in queue {cursor.QueueId}, now {cursor.Commit}");
                    _finished[key] = cursor.Commit;
                }
            }
        }
    }

    private Mutation Mutation => cluster.Scenario.Mutation;

    private void ApplyMutated(in CommittedFrame frame)
    {
        var logTime = Mutation == Mutation.ApplyByOwnClock ? frame.LogTime + (cluster.Events.Now / 1000) : frame.LogTime;
        var isReversed = Mutation == Mutation.ApplyInAnotherOrder && node.Id.Value % 2 == 0 && frame.Proposals.Count == 0;
        _machine.Apply(new CommittedFrame(
            frame.Summary,
            logTime,
            frame.RecordCount,
            isReversed ? Reverse(frame.Payload) : frame.Payload,
            frame.Proposals));
    }

    private static byte[] Reverse(ReadOnlyMemory<byte> payload)
    {
        var reversed = new byte[payload.Length];
        var records = new RecordEnumerator(payload.Span, LogPosition.Zero);
        var end = payload.Length;
        while (records.MoveNext())
        {
            end -= records.Current.Length;
            records.Current.Bytes.CopyTo(reversed.AsSpan(end));
        }

        return reversed;
    }

    private sealed class CredulousLog(IRecoveredLog log) : IRecoveredLog
    {
        public LogPosition DurableEnd => log.DurableEnd;

        public LogPosition? InstalledState => log.InstalledState;

        public bool Holds(LogPosition end, uint headerCrc) => end <= log.DurableEnd;
    }
}
