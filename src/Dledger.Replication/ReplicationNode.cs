using Dledger.Primitives;
using Dledger.Raft.Peers;
using Dledger.Replication.Applying;
using Dledger.Replication.Bootstrapping;
using Dledger.Replication.Bulk;
using Dledger.Replication.Clocks;
using Dledger.Replication.Driving;
using Dledger.Replication.Installing;
using Dledger.Replication.Loops;
using Dledger.Replication.Members;
using Dledger.Replication.Peers;
using Dledger.Replication.Repairing;
using Dledger.Replication.Tails;
using Dledger.Replication.Writing;
using Dledger.Storage.Disks;
using Dledger.Storage.Snapshots;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication;

/// <summary>
/// This node's part in one group: opens the directory, recovers, and runs the loops until stopped or failed.
/// </summary>
/// <remarks>Every public member is safe on any thread.</remarks>
public sealed class ReplicationNode : IReplicatedLog, IAsyncDisposable, ILogWriterReports, IApplyReports, IScrubReports, ISnapshotReports
{
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(10);

    private readonly ReplicationOptions _options;
    private readonly IPeerTransport _transport;
    private readonly ILogger _logger;
    private readonly NodeStorage _storage;
    private readonly LogClock _clock;
    private readonly LoopInbox _inbox;
    private readonly BulkServer _bulk;
    private readonly FaultLatch _faults = new();
    private readonly NodeLife _life;
    private readonly Lock _stopLock = new();
    private readonly TaskCompletionSource<ReplicationExit> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NodePicture _picture;
    private ReplicationStatus? _status;
    private NodePicture? _statusPicture;
    private RunningParts? _running;
    private ILoopRun? _living;
    private Task? _shutdown;

    private ReplicationNode(
        ReplicationOptions options,
        NodeStorage storage,
        IdGenerator ids,
        IPeerTransport transport,
        IStateMachine machine,
        TimeProvider time,
        ulong seed,
        ILogger logger,
        ILoopHost host)
    {
        _options = options;
        _storage = storage;
        _transport = transport;
        _logger = logger;
        _clock = new LogClock(time);
        _inbox = new LoopInbox(options);
        var meta = storage.Meta.Current;
        var addresses = new AddressBook(options);
        _picture = NodePicture.Unavailable(meta.ClusterId, PeerState.Fresh, meta.Term, "the node is starting");
        _bulk = new BulkServer(() => Volatile.Read(ref _picture), machine, _clock);
        _life = new NodeLife(new LifeSurroundings
        {
            Options = options,
            Storage = storage,
            Ids = ids,
            Transport = transport,
            Machine = machine,
            Time = time,
            Seed = seed,
            Logger = logger,
            Host = host,
            Clock = _clock,
            Inbox = _inbox,
            Gate = new PeerGate(
                options,
                meta.StorageId,
                options.Log.FrameBytesMax,
                _inbox,
                _clock,
                _bulk,
                addresses,
                () => Volatile.Read(ref _picture)),
            Addresses = addresses,
            Faults = _faults,
            WriterReports = this,
            ApplyReports = this,
            Publish = Publish,
            ScrubReports = this,
            SnapshotReports = this,
            CloseIdleSnapshots = _bulk.CloseIdle,
            PartsMade = PartsMade,
            Fail = Fail,
        });
    }

    /// <inheritdoc/>
    public RaftGroupId Group => _options.Group;

    /// <inheritdoc/>
    public Guid ClusterId => Volatile.Read(ref _picture).ClusterId;

    /// <inheritdoc/>
    public Task LeadershipMoved => Volatile.Read(ref _moved).Task;

    /// <inheritdoc/>
    public long LogTimeNow => _clock.Now();

    /// <summary>Ends when the node has stopped or failed and has let go of its directory.</summary>
    public Task<ReplicationExit> Completion => _completion.Task;

    /// <inheritdoc/>
    public ReplicationStatus Status
    {
        get
        {
            var picture = Volatile.Read(ref _picture);
            var applied = Volatile.Read(ref _running)?.Apply.Applied ?? LogPosition.Zero;
            var isServing = IsServing(picture);
            var status = Volatile.Read(ref _status);
            if (status is null
                || !ReferenceEquals(Volatile.Read(ref _statusPicture), picture)
                || status.Applied != applied
                || status.IsServing != isServing)
            {
                status = StatusOf(picture, applied, isServing);
                Volatile.Write(ref _status, status);
                Volatile.Write(ref _statusPicture, picture);
            }

            return status;
        }
    }

    /// <summary>Opens the directory and starts the node, which disposes the transport when it ends.</summary>
    /// <param name="options">Must be valid.</param>
    /// <param name="disk">Holds the data directory.</param>
    /// <param name="transport">Not yet started. When this call throws, it still belongs to the caller.</param>
    /// <param name="machine">The state machine to drive.</param>
    /// <param name="time">Clock of the log and of the election timers.</param>
    /// <param name="seed">Seed of ids and timers; differs for each start in production.</param>
    /// <param name="loggers">Where the log lines go.</param>
    /// <exception cref="ArgumentException">The options are not valid.</exception>
    /// <exception cref="DataDirectoryException">The directory is in use, damaged, or of another node or
    /// cluster.</exception>
    /// <exception cref="StorageFaultException">The disk failed.</exception>
    public static ReplicationNode Start(
        ReplicationOptions options,
        IDisk disk,
        IPeerTransport transport,
        IStateMachine machine,
        TimeProvider time,
        ulong seed,
        ILoggerFactory loggers) =>
        Start(options, disk, transport, machine, time, seed, loggers, new ThreadLoopHost());

    /// <summary>The same with the loops run by another host.</summary>
    internal static ReplicationNode Start(
        ReplicationOptions options,
        IDisk disk,
        IPeerTransport transport,
        IStateMachine machine,
        TimeProvider time,
        ulong seed,
        ILoggerFactory loggers,
        ILoopHost host)
    {
        var problems = options.Validate();
        if (problems.Count > 0)
        {
            throw new ArgumentException(string.Join("; ", problems), nameof(options));
        }

        var ids = new IdGenerator(seed ^ ((ulong)options.Self.Value << 56));
        var storage = NodeStorage.Open(disk, options, ids);
        var logger = loggers.CreateLogger("Dledger.Replication");
        if (storage.Meta.Current.LossFlag)
        {
            ReplicationEvents.MayHaveLost(logger, options.Self);
        }

        var node = new ReplicationNode(options, storage, ids, transport, machine, time, seed, logger, host);
        lock (node._stopLock)
        {
            // A node that fails in its first turn waits here until there is something to join.
            node._living = host.Run(node._life);
        }

        return node;
    }

    /// <inheritdoc/>
    public bool TryPropose(Proposal proposal, out ProposalFailure failure)
    {
        var bytes = proposal.Records.Length;
        if (bytes == 0 || bytes % 8 != 0 || bytes > _options.Log.FrameBytesMax - Storage.Frames.FrameHeader.Size)
        {
            throw new ArgumentException(
                $"a proposal has 8 to {_options.Log.FrameBytesMax - Storage.Frames.FrameHeader.Size} bytes, "
                + $"a multiple of 8; this one has {bytes}",
                nameof(proposal));
        }

        if (FindRefusal() is { } refusal)
        {
            failure = refusal;
            return false;
        }

        if (_inbox.TryPropose(proposal))
        {
            failure = default;
            return true;
        }

        failure = new ProposalFailure(
            ProposalFailureKind.Busy, _options.Self, "too many proposals wait; try again a little later");
        return false;
    }

    /// <inheritdoc/>
    public bool TryPost(IStateMachineRequest request) => Volatile.Read(ref _running)?.Apply.TryPost(request) ?? false;

    /// <inheritdoc/>
    public async ValueTask<ProposalFailure?> ConfirmLeadershipAsync(CancellationToken cancellationToken)
    {
        if (FindRefusal() is { } refusal)
        {
            return refusal;
        }

        var completion = new TaskCompletionSource<ProposalFailure?>(TaskCreationOptions.RunContinuationsAsynchronously);
        return _inbox.TryAdd(new LeadershipAsked(completion))
            ? await completion.Task.WaitAsync(cancellationToken)
            : new ProposalFailure(ProposalFailureKind.Stopping, NodeId.None, "the node has stopped");
    }

    /// <inheritdoc/>
    public int Read(LogPosition position, Span<byte> destination)
    {
        if (Volatile.Read(ref _running) is not { } running)
        {
            return 0;
        }

        var commit = LogPosition.Max(Volatile.Read(ref _picture).Commit, running.Apply.Committed);
        var available = Math.Clamp(commit - position, 0, destination.Length);
        return position < running.Log.Start
            ? 0
            : LogReading.Read(running.Cache, running.Log, position, destination[..(int)available], settled: commit);
    }

    /// <inheritdoc/>
    public void Prefetch(LogPosition position, int length)
    {
        if (Volatile.Read(ref _running) is { } running && position < running.Cache.Start)
        {
            running.Log.Prefetch(position, length);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<LogSegment> Segments => Volatile.Read(ref _running) is { } running
        ? [.. running.Log.ListSegments().Select(segment => new LogSegment(segment.Base, segment.LogTime))]
        : [];

    /// <inheritdoc/>
    public void Release(LogPosition below) => _inbox.TryAdd(new LogReleased(below));

    /// <inheritdoc/>
    public void ReportUnreadable(LogPosition position)
    {
        if (Volatile.Read(ref _running) is { } running)
        {
            running.Log.ForgetBacklog();
            running.Scrub.DamageMet(position);
        }
    }

    /// <inheritdoc/>
    public async Task<bool> TransferLeadershipAsync(NodeId? target, CancellationToken cancellationToken)
    {
        var completion = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        return _inbox.TryAdd(new TransferRequested(target, completion))
            && await completion.Task.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<MembershipOutcome> ChangeMembershipAsync(
        MembershipChange change, TimeSpan patience, CancellationToken cancellationToken)
    {
        var completion = new TaskCompletionSource<MembershipOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        return _inbox.TryAdd(new MembershipRequested(change, patience, completion))
            ? await completion.Task.WaitAsync(cancellationToken)
            : new MembershipOutcome(MembershipOutcomeKind.NotLeader, "the node has stopped", NodeId.None);
    }

    /// <inheritdoc/>
    public async Task<bool> DrainAsync(bool isDrained, CancellationToken cancellationToken)
    {
        var completion = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        return _inbox.TryAdd(new DrainRequested(isDrained, completion))
            && await completion.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Hands leadership over if this node leads, tells the others, and stops in order.</summary>
    public Task StopAsync(CancellationToken cancellationToken) =>
        BeginShutdown(isGraceful: true).WaitAsync(cancellationToken);

    /// <summary>Stops in order but without handing leadership over.</summary>
    public async ValueTask DisposeAsync() => await BeginShutdown(isGraceful: false);

    void ILogWriterReports.LogDurable(LogPosition position, uint generation, int workCount) =>
        _inbox.TryAdd(new LogSynced(position, generation, workCount));

    void ILogWriterReports.MetadataDurable(long version) => _inbox.TryAdd(new MetadataSynced(version));

    void ILogWriterReports.LogIsDamaged(string reason) => _inbox.TryAdd(new ReopenRequested(reason));

    void ILogWriterReports.WriterFailed(Exception fault) => Fail("the log cannot be written", fault);

    void IApplyReports.Restored() => _inbox.Signal.Set();

    void IApplyReports.AppliedMoved() => _inbox.Signal.Set();

    void IApplyReports.ServingBegan(Term term)
    {
        ReplicationEvents.ServingBegan(_logger, _options.Self, term);
        SignalMoved();
    }

    void IApplyReports.LogUnreadable(string reason) => _inbox.TryAdd(new ReopenRequested(reason));

    void ISnapshotReports.SnapshotStaged(SnapshotManifest manifest) => _inbox.TryAdd(new SnapshotReady(manifest));

    void ISnapshotReports.StagingFailed(Exception fault) => Fail("a snapshot cannot be received", fault);

    void IScrubReports.LogMustReopen(string reason) => _inbox.TryAdd(new ReopenRequested(reason));

    void IApplyReports.ApplyFailed(Exception fault) => Fail("the state machine failed", fault);

    private void Publish(NodePicture picture)
    {
        var last = _picture;
        Volatile.Write(ref _picture, picture);
        if (last.Leader != picture.Leader || last.Role != picture.Role || last.Term != picture.Term)
        {
            SignalMoved();
        }
    }

    private void SignalMoved() => Interlocked.Exchange(
        ref _moved, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    private void PartsMade(RunningParts? parts)
    {
        Volatile.Write(ref _running, parts);
        _bulk.Use(parts);
    }

    private ProposalFailure? FindRefusal()
    {
        var picture = Volatile.Read(ref _picture);
        if (_faults.Reason is { } fault)
        {
            return new ProposalFailure(ProposalFailureKind.Unavailable, NodeId.None, fault);
        }

        if (picture.IsStopping || _shutdown is not null)
        {
            return new ProposalFailure(ProposalFailureKind.Stopping, picture.Leader, "the node is stopping");
        }

        if (picture.UnavailableReason is { } reason)
        {
            return new ProposalFailure(ProposalFailureKind.Unavailable, picture.Leader, reason);
        }

        if (picture.Role != ReplicationRole.Leader)
        {
            return new ProposalFailure(ProposalFailureKind.NotLeader, picture.Leader, "this node does not lead");
        }

        return IsServing(picture)
            ? null
            : new ProposalFailure(ProposalFailureKind.NotLeader, NodeId.None, "the new leader does not serve yet");
    }

    private bool IsServing(NodePicture picture) =>
        picture.Role == ReplicationRole.Leader
        && !_faults.IsSet
        && Volatile.Read(ref _running)?.Apply.ServingTerm == picture.Term;

    private ReplicationStatus StatusOf(NodePicture picture, LogPosition applied, bool isServing) => new()
    {
        Self = _options.Self,
        Role = picture.Role,
        Term = picture.Term,
        Leader = picture.Leader,
        IsServing = isServing,
        Commit = LogPosition.Max(picture.Commit, applied),
        Applied = applied,
        End = LogPosition.Max(picture.End, applied),
        Durable = picture.Durable,
        Peers = picture.Peers,
        Members = picture.Members,
        IsMember = picture.IsMember,
        IsDrained = picture.IsDrained,
        HasLoss = picture.State == PeerState.Loss,
        UnavailableReason = _faults.Reason ?? picture.UnavailableReason,
        IsStopping = picture.IsStopping,
    };

    private void Fail(string what, Exception fault)
    {
        var reason = $"{what}: {fault.Message}";
        if (_faults.TrySet(reason))
        {
            ReplicationEvents.NodeFaulted(_logger, _options.Self, reason, fault);
        }

        _inbox.Signal.Set();
        _ = BeginShutdown(isGraceful: false);
    }

    private Task BeginShutdown(bool isGraceful)
    {
        lock (_stopLock)
        {
            if (_shutdown is null)
            {
                _shutdown = ShutDownAsync(isGraceful);
            }
            else if (!isGraceful)
            {
                // An impatient caller cuts a graceful stop short.
                _inbox.TryAdd(new StopRequested(IsGraceful: false));
            }

            return _shutdown;
        }
    }

    // From the loop outwards: first nothing is promised any more, then nobody can reach the node, then its other loops end.
    private async Task ShutDownAsync(bool isGraceful)
    {
        _inbox.TryAdd(new StopRequested(isGraceful));
        var isLoopEnded = await _living!.WaitForEndAsync(JoinPatience);
        await _transport.DisposeAsync();
        if (isLoopEnded)
        {
            await StopPartsAsync();
        }
        else
        {
            ReplicationEvents.ThreadLate(_logger, "the replication loop", _options.Self);
        }

        var reason = _faults.Reason;
        ReplicationEvents.NodeStopped(_logger, _options.Self, reason ?? "asked to");
        _completion.TrySetResult(new ReplicationExit(reason is not null, reason ?? "the node was asked to stop"));
    }

    private async Task StopPartsAsync()
    {
        try
        {
            if (_running is null || await _running.StopAsync(_faults.IsSet))
            {
                _storage.Dispose();
            }
            else
            {
                ReplicationEvents.ThreadLate(_logger, "the writer or the apply loop", _options.Self);
            }
        }
        catch (Exception fault)
        {
            // A disk that failed may fail again while it is closed; the first reason is the one that counts.
            if (_faults.TrySet($"the log cannot be closed: {fault.Message}"))
            {
                ReplicationEvents.NodeFaulted(_logger, _options.Self, "the log cannot be closed", fault);
            }
        }
    }
}
