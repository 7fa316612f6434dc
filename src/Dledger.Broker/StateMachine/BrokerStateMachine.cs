using System.Diagnostics.CodeAnalysis;
using Dledger.Broker.Checkpoints;
using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Lites;
using Dledger.Broker.Lookups;
using Dledger.Broker.Offsets;
using Dledger.Broker.Proposals;
using Dledger.Broker.Quotas;
using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;
using Dledger.Broker.Transactions;
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
    private volatile MessageIndex? _index;
    private volatile ITransactionChecker? _checker;
    private AppliedPoint _applied;
    private LogPosition _durable;

    public BrokerStateMachine(BrokerOptions options, IDisk disk, string directory, TimeProvider time, ILogger logger)
    {
        _surroundings = new BrokerSurroundings(options, disk, directory, time);
        _logger = logger;
        _checkpointer = new Checkpointer(_surroundings, logger);
        Clients = new ClientRegistry(time);
        Filters = new FilterRegistry(time, Clients);
        Lites = new LiteSets(Clients);
        Adopt(_checkpointer.MakeEmpty());
    }

    /// <summary>For what is not part of the state; any thread.</summary>
    public TimeProvider Time => _surroundings.Time;

    /// <summary>Signs of life; any thread.</summary>
    public ClientRegistry Clients { get; }

    /// <summary>Who asks with which filter; any thread.</summary>
    public FilterRegistry Filters { get; }

    /// <summary>Which client asks for which lite topics; any thread.</summary>
    public LiteSets Lites { get; }

    /// <summary>Hears of lite topics that an operator deleted, on the apply loop of every node; null where nobody wants to.</summary>
    public Action<string, IReadOnlyList<string>>? LitesEnded { get; set; }

    /// <summary>Asks producers; null where there are none.</summary>
    public ITransactionChecker? Checker
    {
        get => _checker;
        set => _checker = value;
    }

    /// <summary>Topics at the newest applied position; any thread.</summary>
    public TopicDirectory Topics => _state.Topics.Directory;

    /// <summary>Groups at the newest applied position; any thread.</summary>
    public GroupDirectory Groups => _state.Groups.Directory;

    /// <summary>For comparing nodes and lives (I36).</summary>
    public ulong StateHash => StateWriter.Hash(_state);

    /// <summary>What is applied. Owned by the apply loop.</summary>
    public BrokerState State => _state;

    /// <summary>Where messages are by id and key; null before the restore, and where none is kept. Any thread.</summary>
    public MessageIndex? Index => _index;

    /// <summary>After <see cref="Maintain"/>: the work that it left writes a checkpoint. Owned by the apply loop.</summary>
    public bool IsWritingCheckpoint => _checkpointer.IsWriting;

    /// <summary>Receives on their way.</summary>
    public ReceiverTable Receivers => _duties.Receivers;

    /// <summary>What may be sent; any thread.</summary>
    public ProduceQuotas ProduceQuotas => _duties.ProduceQuotas;

    /// <summary>Delayed messages that wait; any thread.</summary>
    public long PendingCount => _state.Timers.Count;

    /// <summary>Readers by offset that wait.</summary>
    public PullTable Pulls => _duties.Pulls;

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
        _index = _surroundings.Options.KeyIndex
            ? new MessageIndex(_surroundings, log, applied.Position, () => _log, _logger)
            : null;
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
        foreach (var group in _state.Groups.EndPauses(frame.LogTime))
        {
            _duties.Receivers.GroupChanged(group.View.Id);
        }

        _state.Leases.Expire(ExpiryTimeOf(frame), ExpiryBudget);
        ApplyRecords(frame);
        _index?.Keys.FrameEnded(frame.Summary.End, frame.Summary.HeaderCrc);
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
            case PullOperation pull when !_duties.IsServing:
                pull.Complete(PullGrant.Of(NotServing()));
                break;
            case PullOperation pull:
                _duties.Pulls.Pull(pull, _duties.Receivers.ParkedCount);
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
            Lites.Begin();
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

        var indexing = _index?.Keys.BeginWork(durable, LogStart(), isCheckpoint: write is not null);
        _duties.End();
        return write is null ? indexing : write.Run + indexing;
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
        _index?.Keys.BeginWork(_durable, LogStart(), isCheckpoint: true)?.Invoke();
        _state.Queues.Dispose();
    }

    /// <summary>Has the parked receives of a group on a topic looked at again; any thread.</summary>
    public void WakeReceivers(int topicId, int groupId) => _duties.WakeReceivers(topicId, groupId);

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

    // A node that got a snapshot has its log from a later position on than the state knows of.
    private LogPosition LogStart()
    {
        var segments = _log?.Segments ?? [];
        return segments.Count == 0 ? _state.LogStart : LogPosition.Max(_state.LogStart, segments[0].Base);
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
            _index?.Add(records.Current, records.CurrentPosition);
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

    private void NoteEnded(int topicId, IReadOnlyList<string> names)
    {
        if (LitesEnded is { } hear && _state.Topics.Find(topicId) is { } topic)
        {
            hear(topic.View.Name, names);
        }
    }

    private void AskProducers(IReadOnlyList<HalfTransaction> asked)
    {
        if (Checker is not { } checker)
        {
            return;
        }

        foreach (var half in asked)
        {
            if (_state.Topics.Find(half.TopicId) is { } topic)
            {
                checker.Ask(new TransactionQuestion(half.Id, topic.Id, topic.View.Name, half.Checks));
            }
        }
    }

    [MemberNotNull(nameof(_state), nameof(_duties), nameof(_applier))]
    private void Adopt(BrokerState state)
    {
        _state = state;
        _duties = new LeaderDuties(
            state, _surroundings, Clients, () => _log, () => _checkpointer.Newest, Lites, NoteEnded, AskProducers, _logger);
        _applier = new RecordApplier(state, _duties, _surroundings.Options.Defect, _logger);
    }
}
