using System.Buffers.Binary;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;
using Dledger.Storage.Records;

namespace Dledger.Broker.Tests.Simulation;

/// <summary>
/// A replicated log of one node in memory: what is proposed is committed when <see cref="Step"/> runs.
/// </summary>
internal sealed class MemoryLog : IReplicatedLog
{
    private static readonly NodeId Node = new(1);

    private readonly ManualTime _time;
    private readonly CallLoop _loop;
    private readonly Queue<Proposal> _proposals = new();
    private readonly Queue<IStateMachineRequest> _requests = new();
    private readonly ClusterSeed _seed;
    private readonly List<byte[]> _frames = [];
    private ChainTail _tail;
    private byte[] _bytes = [];
    private Term _term = Term.Zero;
    private IStateMachine? _machine;

    /// <param name="time">The clock of the node.</param>
    /// <param name="loop">What the machine leaves to other threads runs here.</param>
    public MemoryLog(ManualTime time, CallLoop loop)
    {
        _time = time;
        _loop = loop;
        _seed = ClusterSeed.Of(ClusterId, Group);
        _tail = ChainTail.Genesis(_seed);
    }

    public RaftGroupId Group => RaftGroupId.First;

    public Guid ClusterId { get; } = new("11111111-2222-3333-4444-555555555555");

    public long LogTimeNow => _time.NowMicroseconds - LogTimeBehind;

    /// <summary>How far log time is behind the wall clock, microseconds: the clock jumped ahead.</summary>
    public long LogTimeBehind { get; set; }

    public Task LeadershipMoved { get; } = new TaskCompletionSource().Task;

    public LogPosition Applied { get; private set; }

    public LogPosition End => _tail.End;

    public bool IsServing { get; private set; }

    /// <summary>Proposals and requests pile up, nothing is committed.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Proposals are refused as busy.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Bytes that readers get inverted, to play a damaged disk.</summary>
    public LogPosition? DamagedAt { get; set; }

    /// <summary>Readers find a record here whose store time rotted to the oldest one.</summary>
    public LogPosition? AgedAt { get; set; }

    /// <summary>What was read, or is said to be read soon, in order.</summary>
    public List<(LogPosition Position, bool IsAhead)> Reads { get; } = [];

    /// <summary>How often bytes were read.</summary>
    public int ReadCount => Reads.Count(static read => !read.IsAhead);

    /// <summary>The disk gives an error for reads of this place.</summary>
    public LogPosition? FailsAt { get; set; }

    /// <summary>That error comes once: the next read finds everything well.</summary>
    public bool FailsOnce { get; set; }

    /// <summary>What readers said they could not use.</summary>
    public List<LogPosition> Unreadable { get; } = [];

    /// <summary>Own durable position as told to the machine; the end unless set.</summary>
    public LogPosition? Durable { get; set; }

    /// <summary>Proposals that were taken in so far.</summary>
    public int ProposalCount { get; private set; }

    public IReadOnlyList<byte[]> Frames => _frames;

    public ReplicationStatus Status => new()
    {
        Self = Node,
        Role = IsServing ? ReplicationRole.Leader : ReplicationRole.Follower,
        Term = _term,
        Leader = IsServing ? Node : new NodeId(2),
        IsServing = IsServing,
        Commit = _tail.End,
        Applied = Applied,
        End = _tail.End,
        Durable = Durable ?? _tail.End,
        Peers = Peers,
        Members = [.. Peers.Select(peer => peer.Node).Append(Node).Select(node =>
            new MemberStatus(node, Guid.Empty, MemberRole.Voter, "", ""))],
    };

    /// <summary>What the leader knows of other nodes.</summary>
    public IReadOnlyList<PeerStatus> Peers { get; set; } = [];

    /// <summary>Whom the broker asked to take over.</summary>
    public List<NodeId?> Transfers { get; } = [];

    /// <summary>Attaches a machine and applies what it does not have yet; the answer is where it continued.</summary>
    public LogPosition Start(IStateMachine machine)
    {
        _machine = machine;
        IsServing = false;
        _requests.Clear();
        Applied = machine.Restore(RecoveredTo(Durable ?? _tail.End));
        var restored = Applied;
        foreach (var frame in _frames)
        {
            ApplyTo(machine, frame, restored, []);
        }

        Applied = _tail.End;
        return restored;
    }

    /// <summary>The log as a restart finds it when this much of it is durable.</summary>
    public IRecoveredLog RecoveredTo(LogPosition durableEnd) => new Recovered(this, durableEnd);

    /// <summary>Applies the frames between two positions to another machine.</summary>
    public void Replay(IStateMachine machine, LogPosition from, LogPosition to)
    {
        foreach (var frame in _frames)
        {
            Assert.True(FrameHeader.TryParse(frame, _seed, 8 << 20, out var header, out var fault), fault);
            if (header.Base < to)
            {
                ApplyTo(machine, frame, from, []);
            }
        }
    }

    /// <summary>A new term begins with this node as the leader.</summary>
    public void Lead()
    {
        _term = _term.Next();
        var record = RecordEncoder.Encode(new RecordFields { Kind = RecordKind.TermStart }, [], [], []);
        Cut([record], [], FrameFlags.TermStart);
        IsServing = true;
        Tell(new Leadership(_term, true, Node));
    }

    /// <summary>Another node took over; what was not committed is lost.</summary>
    public void LoseLeadership(ProposalFailureKind kind = ProposalFailureKind.OutcomeUnknown)
    {
        IsServing = false;
        while (_proposals.TryDequeue(out var proposal))
        {
            proposal.Fail(new ProposalFailure(kind, new NodeId(2), "leadership was lost"));
        }

        Tell(new Leadership(_term, false, new NodeId(2)));
    }

    private void Tell(Leadership leadership) => _loop.Run(() =>
    {
        _machine!.LeadershipChanged(leadership);
        return true;
    });

    public bool TryPropose(Proposal proposal, out ProposalFailure failure)
    {
        failure = default;
        if (!IsServing)
        {
            failure = new ProposalFailure(ProposalFailureKind.NotLeader, new NodeId(2), "node 2 leads");
            return false;
        }

        if (IsBusy)
        {
            failure = new ProposalFailure(ProposalFailureKind.Busy, Node, "the inbox is full");
            return false;
        }

        ProposalCount++;
        _proposals.Enqueue(proposal);
        return true;
    }

    public bool TryPost(IStateMachineRequest request)
    {
        _requests.Enqueue(request);
        return true;
    }

    public ValueTask<ProposalFailure?> ConfirmLeadershipAsync(CancellationToken cancellationToken) => new(
        IsServing ? null : new ProposalFailure(ProposalFailureKind.NotLeader, new NodeId(2), "node 2 leads"));

    public void Prefetch(LogPosition position, int length) => Reads.Add((position, IsAhead: true));

    public int Read(LogPosition position, Span<byte> destination)
    {
        Reads.Add((position, IsAhead: false));
        if (FailsAt == position)
        {
            FailsAt = FailsOnce ? null : FailsAt;
            throw new StorageFaultException("log/0", "pread", 5, "Input/output error");
        }

        var count = (int)Math.Max(0, Math.Min(destination.Length, _tail.End - position));
        _bytes.AsSpan((int)position.Value, count).CopyTo(destination);
        if (DamagedAt == position && count > 0)
        {
            destination[count - 1] ^= 0xff;
            destination[count / 2] ^= 0xff;
        }

        if (AgedAt == position && count > 16)
        {
            BinaryPrimitives.WriteInt64LittleEndian(destination[8..], 1);
        }

        return count;
    }

    /// <summary>The files that the log has, as a test wants them.</summary>
    public List<LogSegment> SegmentList { get; } = [];

    public IReadOnlyList<LogSegment> Segments => SegmentList;

    /// <summary>The newest position that the state machine gave free.</summary>
    public LogPosition Released { get; private set; }

    public void Release(LogPosition below) => Released = below;

    public void ReportUnreadable(LogPosition position) => Unreadable.Add(position);

    public Task<bool> TransferLeadershipAsync(NodeId? target, CancellationToken cancellationToken)
    {
        Transfers.Add(target);
        return Task.FromResult(false);
    }

    public Task<MembershipOutcome> ChangeMembershipAsync(
        MembershipChange change, TimeSpan patience, CancellationToken cancellationToken) =>
        Task.FromResult(new MembershipOutcome(MembershipOutcomeKind.Refused, "there is one node", NodeId.None));

    public Task<bool> DrainAsync(bool isDrained, CancellationToken cancellationToken) => Task.FromResult(false);

    /// <summary>Does what is to be done now; false when there was nothing.</summary>
    public bool Step() => _loop.Run(Turn);

    private bool Turn()
    {
        var any = false;
        while (_requests.TryDequeue(out var request))
        {
            any = true;
            _machine!.Handle(request);
        }

        if (IsHeld)
        {
            return any;
        }

        if (_proposals.Count > 0)
        {
            Commit();
            return true;
        }

        if (IsServing && _machine!.NextDueLogTime <= Math.Max(LogTimeNow, _tail.LogTime))
        {
            _machine.Due(Math.Max(LogTimeNow, _tail.LogTime));
            return _proposals.Count > 0 || any;
        }

        return any;
    }

    /// <summary>House-keeping as the apply loop would call it, with the disk work that it leaves.</summary>
    public void Maintain()
    {
        while (BeginMaintenance() is { } work)
        {
            work();
        }
    }

    /// <summary>House-keeping without the disk work, which is the test's to run.</summary>
    public Action? BeginMaintenance() => _machine!.Maintain(Durable ?? _tail.End);

    private void Commit()
    {
        var taken = new List<Proposal>();
        while (_proposals.TryDequeue(out var proposal))
        {
            taken.Add(proposal);
        }

        Cut([.. taken.Select(proposal => proposal.Records)], taken, FrameFlags.None);
    }

    private void Cut(IReadOnlyList<ReadOnlyMemory<byte>> records, IReadOnlyList<Proposal> proposals, FrameFlags flags)
    {
        var frame = FrameBuilder.Build(_tail, _term, LogTimeNow, _tail.End, flags, Node, records, _seed);
        var start = (int)_tail.End.Value;
        Array.Resize(ref _bytes, start + frame.Length);
        frame.CopyTo(_bytes, start);
        _frames.Add(frame);
        Assert.True(FrameReader.TryRead(frame, _tail, _seed, 8 << 20, out var view, out var fault), fault);
        _tail = view.Tail;
        ApplyTo(_machine!, frame, view.Summary.Base, proposals);
        Applied = _tail.End;
    }

    private void ApplyTo(IStateMachine machine, byte[] frame, LogPosition from, IReadOnlyList<Proposal> proposals)
    {
        Assert.True(FrameHeader.TryParse(frame, _seed, 8 << 20, out var header, out var fault), fault);
        if (header.Base >= from)
        {
            var payload = frame.AsMemory(FrameHeader.Size);
            machine.Apply(new CommittedFrame(header.Summary, header.LogTime, header.RecordCount, payload, proposals));
        }
    }

    private sealed class Recovered(MemoryLog log, LogPosition durableEnd) : IRecoveredLog
    {
        public LogPosition DurableEnd => durableEnd;

        public LogPosition? InstalledState => null;

        public bool Holds(LogPosition end, uint headerCrc) => end <= durableEnd && log._frames.Any(frame =>
            FrameHeader.TryParse(frame, log._seed, 8 << 20, out var header, out _)
            && header.Tail.End == end && header.Tail.HeaderCrc == headerCrc);
    }
}
