using System.Diagnostics.CodeAnalysis;
using Dledger.Broker.Checkpoints;
using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Proposals;
using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;
using Dledger.Storage.Records;
using Dledger.Storage.Snapshots;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.StateMachine;

/// <summary>
/// The deterministic heart of the broker: committed records in, replicated state out (raft-and-storage.md 2.16, 5).
/// </summary>
/// <remarks>
/// Its members run on the apply loop, but for those that say "any thread". Apply changes <see cref="BrokerState"/> by
/// the
/// frame alone; what the serving leader does beside it lives in <see cref="LeaderDuties"/> and ends in proposals.
/// </remarks>
internal sealed class BrokerStateMachine : IStateMachine
{
    /// <summary>Most messages whose lease ends in one frame; the rest follows with the next frames.</summary>
    private const int ExpiryBudget = 10_000;

    private readonly BrokerSurroundings _surroundings;
    private readonly ILogger _logger;
    private readonly Checkpointer _checkpointer;
    private volatile BrokerState _state;
    private volatile LeaderDuties _duties;
    private RecordApplier _applier;
    private volatile IReplicatedLog? _log;
    private AppliedPoint _applied;
    private LogPosition _durable;

    public BrokerStateMachine(BrokerOptions options, IDisk disk, string directory, TimeProvider time, ILogger logger)
    {
        _surroundings = new BrokerSurroundings(options, disk, directory, time);
        _logger = logger;
        _checkpointer = new Checkpointer(_surroundings, logger);
        Clients = new ClientRegistry(time);
        Filters = new FilterRegistry(time, Clients);
        Adopt(_checkpointer.MakeEmpty());
    }

    /// <summary>For what is not part of the state; any thread.</summary>
    public TimeProvider Time => _surroundings.Time;

    /// <summary>Signs of life; any thread.</summary>
    public ClientRegistry Clients { get; }

    /// <summary>Who asks with which filter; any thread.</summary>
    public FilterRegistry Filters { get; }

    /// <summary>Topics at the newest applied position; any thread.</summary>
    public TopicDirectory Topics => _state.Topics.Directory;

    /// <summary>Groups at the newest applied position; any thread.</summary>
    public GroupDirectory Groups => _state.Groups.Directory;

    /// <summary>For comparing nodes and lives (I36).</summary>
    public ulong StateHash => StateWriter.Hash(_state);

    /// <summary>What is applied. Owned by the apply loop.</summary>
    public BrokerState State => _state;

    /// <summary>Receives on their way.</summary>
    public ReceiverTable Receivers => _duties.Receivers;

    /// <summary>How full the disk is, as the serving leader last saw it; any thread.</summary>
    public DiskSpaceLevel SpaceLevel => _duties.Retention.Level;

    /// <summary>Too many disks of the cluster are full, as the serving leader last saw it; any thread.</summary>
    public bool IsMajorityFull => _duties.Retention.IsMajorityFull;

    /// <inheritdoc/>
    public long NextDueLogTime => _duties.NextDueLogTime;

    /// <summary>Gives the machine its log; once, any thread.</summary>
    public void Attach(IReplicatedLog log) => _log = log;

    /// <inheritdoc/>
    public LogPosition Restore(IRecoveredLog log)
    {
        // It may be the second time: a log that was damaged is opened anew, and whoever waits asks another node.
        _duties.Begin();
        _duties.Change(false, new BrokerFailure(BrokerError.Unavailable, "this node opens its log anew"));
        _state.Queues.Dispose();
        var (state, applied) = _checkpointer.Restore(log);
        Adopt(state);
        _applied = applied;
        return applied.Position;
    }

    /// <inheritdoc/>
    public void Apply(in CommittedFrame frame)
    {
        _duties.Begin();
        Invariant.Check(frame.LogTime >= _state.LogTime, $"log time {frame.LogTime} follows {_state.LogTime} (I49)");
        Invariant.Check(
            frame.Summary.Base == _applied.Position, $"frame at {frame.Summary.Base} follows {_applied.Position}");
        _state.LogTime = frame.LogTime;
        _state.Leases.Expire(ExpiryTimeOf(frame), ExpiryBudget);
        ApplyRecords(frame);
        _applied = new AppliedPoint(frame.Summary.End, frame.Summary.Term, frame.Summary.HeaderCrc);
        _duties.End();
    }

    /// <inheritdoc/>
    public void Handle(IStateMachineRequest request)
    {
        _duties.Begin();
        switch (request)
        {
            case ReceiveOperation operation when !_duties.IsServing:
                operation.Complete(ReceiveGrant.Of(NotServing()));
                break;
            case ReceiveOperation operation:
                _duties.Receivers.Receive(operation);
                break;
            case StateQuery query:
                query.Run(_state);
                break;
            case WakeRequest:
                break;
            default:
                Invariant.Fail($"a request of type {request.GetType().Name} was posted");
                break;
        }

        _duties.End();
    }

    /// <inheritdoc/>
    public void LeadershipChanged(Leadership leadership)
    {
        _duties.Begin();
        if (leadership.IsServing && !_duties.IsServing)
        {
            Filters.Begin();
        }

        _duties.Change(
            leadership.IsServing,
            new BrokerFailure(BrokerError.NotLeader, "this node no longer leads", leadership.Leader));
        _duties.End();
    }

    /// <inheritdoc/>
    public void Due(long logTimeNow)
    {
        _duties.Begin();
        _duties.Due(logTimeNow);
        _duties.End();
    }

    /// <inheritdoc/>
    public Action? Maintain(LogPosition durable)
    {
        _duties.Begin();
        _durable = durable;
        if (_checkpointer.End(_state))
        {
            _log?.Release(LogPosition.Min(_state.LogStart, _checkpointer.Oldest));
        }

        var write = _checkpointer.TryFlush(_state) ? _checkpointer.BeginWhenDue(_state, _applied, durable) : null;

        if (_surroundings.Options.Defect == SeededDefect.LogReleasedBeforeCheckpoint)
        {
            _log?.Release(_state.LogStart);
        }

        _duties.End();
        return write is null ? null : write.Run;
    }

    /// <inheritdoc/>
    public SnapshotSource? OpenSnapshot(in ChainTail logStart, ReadOnlyMemory<byte> attachment) =>
        _checkpointer.OpenSnapshot(_state.Queues, logStart, attachment);

    /// <inheritdoc/>
    public void Stop()
    {
        _duties.Begin();
        _duties.Change(false, new BrokerFailure(BrokerError.Stopping, "this node is shutting down"));
        _durable = LogPosition.Max(_durable, _log?.Status.Durable ?? LogPosition.Zero);
        _checkpointer.WriteWhenChanged(_state, _applied, _durable);
        _state.Queues.Dispose();
    }

    /// <summary>What a caller is told that needs the serving leader; any thread.</summary>
    public BrokerFailure NotServing()
    {
        if (_log?.Status is not { } status)
        {
            return new BrokerFailure(BrokerError.Unavailable, "this node has not started yet");
        }

        if (status.IsStopping)
        {
            return new BrokerFailure(BrokerError.Stopping, "this node is shutting down");
        }

        if (status.UnavailableReason is { } reason)
        {
            return new BrokerFailure(BrokerError.Unavailable, reason);
        }

        // A leader that has not applied its own term's start yet does not count as one for callers.
        var leader = status.Leader == status.Self ? NodeId.None : status.Leader;
        return new BrokerFailure(
            BrokerError.NotLeader,
            leader == NodeId.None ? "no leader is known at present" : $"node {leader} leads",
            leader);
    }

    private long ExpiryTimeOf(in CommittedFrame frame) => _surroundings.Options.Defect == SeededDefect.LeaseExpiryByWallClock
        ? (_surroundings.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond
        : frame.LogTime;

    private void ApplyRecords(in CommittedFrame frame)
    {
        var proposals = frame.Proposals;
        var index = 0;
        var recordsLeft = proposals.Count == 0 ? 0 : proposals[0].RecordCount;
        var records = new RecordEnumerator(frame.Payload.Span, frame.Summary.Base + FrameHeader.Size);
        while (records.MoveNext())
        {
            var proposal = index < proposals.Count ? (BrokerProposal)proposals[index] : null;
            _applier.Apply(records.Current, records.CurrentPosition, proposal);
            recordsLeft--;
            if (proposal is not null && recordsLeft == 0)
            {
                proposal.Applied();
                index++;
                recordsLeft = index < proposals.Count ? proposals[index].RecordCount : 0;
            }
        }

        Invariant.Check(index == proposals.Count, $"{proposals.Count - index} proposals are left over");
    }

    [MemberNotNull(nameof(_state), nameof(_duties), nameof(_applier))]
    private void Adopt(BrokerState state)
    {
        _state = state;
        _duties = new LeaderDuties(
            state, _surroundings, Clients, () => _log, () => _checkpointer.Newest, _logger);
        _applier = new RecordApplier(state, _duties, _surroundings.Options.Defect, _logger);
    }
}
