using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Quorums;
using Dledger.Simulation.Nodes;

namespace Dledger.Raft.Tests.Clusters;

/// <summary>One node of a <see cref="TestCluster"/>: the core, its log, and disk work that finishes only when the test says so.</summary>
internal sealed class TestNode(TestCluster cluster, NodeId id)
{
    private readonly Queue<PersistMeta> _meta = new();
    private readonly Queue<WriteRange> _writes = new();
    private LogPosition _configurationFloor;

    public NodeId Id { get; } = id;

    public RaftCore? Core { get; private set; }

    public SimulatedLog Log { get; private set; } = new([]);

    /// <summary>Term and vote on disk.</summary>
    public (Term Term, NodeId Vote) Meta { get; private set; }

    public LogPosition DurableEnd { get; private set; }

    /// <summary>The node with its present storage; a wipe gives it another one.</summary>
    public Member Member { get; private set; } = new(id, StorageOf(id, 1));

    /// <summary>The loss flag on disk.</summary>
    public bool HasLoss { get; set; }

    /// <summary>What the driver was told of the configuration last.</summary>
    public ConfigurationChanged? Configuration { get; private set; }

    /// <summary>Finished meta writes and syncs are not reported while set.</summary>
    public bool HoldsMeta { get; set; }

    public bool HoldsSync { get; set; }

    /// <summary>Puts frames of the given terms on the disk of a node that is down.</summary>
    public void SetLog(Term term, params long[] terms)
    {
        Meta = (term, NodeId.None);
        Log = new SimulatedLog([]);
        foreach (var frameTerm in terms)
        {
            var isFirst = Log.Frames.Count == 0 || Log.Frames[^1].Term != new Term(frameTerm);
            Log.Append(NextFrame(new Term(frameTerm), isFirst ? FrameFlags.TermStart : FrameFlags.None, TestCluster.FrameLength));
        }

        DurableEnd = Log.End;
    }

    /// <summary>Identity of the n-th data directory of a node.</summary>
    public static Guid StorageOf(NodeId node, int generation) => new(node.Value, (short)generation, 0, new byte[8]);

    /// <summary>Takes a node that is down a new, empty disk.</summary>
    public void Wipe()
    {
        Member = new Member(Id, StorageOf(Id, Member.StorageId.ToByteArray()[4] + 1));
        Meta = default;
        HasLoss = false;
        _configurationFloor = LogPosition.Zero;
        Log = new SimulatedLog([]);
        DurableEnd = LogPosition.Zero;
    }

    /// <summary>Takes the end of the log from a node that is down; recovery notices and sets the loss flag.</summary>
    public void Lose(LogPosition end)
    {
        HasLoss = true;
        DurableEnd = LogPosition.Min(DurableEnd, end);
    }

    public void Boot(Func<RaftOptions, RaftOptions> configure, bool isPassive)
    {
        Log = new SimulatedLog(Log.Range(LogPosition.Zero, DurableEnd));
        var options = configure(new RaftOptions
        {
            Self = Id,
            StorageId = Member.StorageId,
        });
        var boot = new RaftBoot(
            Meta.Term,
            Meta.Vote,
            Log.ScanEpochs(),
            Log.End,
            Log.End,
            LogPosition.Zero,
            Log.ScanConfigurations(cluster.Founders),
            isPassive,
            isPassive ? "no genesis" : null,
            HasLoss,
            _configurationFloor);
        Core = new RaftCore(options, boot, Log, (ulong)Id.Value);
        Call((core, now) => core.Tick(now));
    }

    public void Stop()
    {
        Core = null;
        _meta.Clear();
        _writes.Clear();
    }

    /// <summary>Calls the core and executes what it wants.</summary>
    public void Call(Action<RaftCore, long> call)
    {
        if (Core is not { } core)
        {
            return;
        }

        call(core, cluster.Now);
        while (core.Effects.TryTake(out var effect))
        {
            cluster.Note(this, effect);
            Execute(core, effect);
        }
    }

    /// <summary>Cuts a frame as the leader's driver does.</summary>
    public void CutFrame(FrameFlags flags, int length, Configuration? configuration = null)
    {
        var frame = NextFrame(Core!.Term, flags, length, configuration);
        Log.Append(frame);
        Call((core, now) => core.FrameAppended(now, frame.Summary));
    }

    /// <summary>Finishes one write of the meta file; false when there is none.</summary>
    public bool FinishMeta()
    {
        if (Core is null || !_meta.TryDequeue(out var meta))
        {
            return false;
        }

        Meta = (meta.Term, meta.VotedFor);
        HasLoss = meta.HasLoss;
        _configurationFloor = meta.ConfigurationFloor;
        Call((core, now) => core.MetaDurable(now, meta.Version));
        return true;
    }

    /// <summary>Finishes one write and sync of the log; false when there is none.</summary>
    public bool FinishSync()
    {
        if (Core is null || !_writes.TryDequeue(out var write))
        {
            return false;
        }

        DurableEnd = LogPosition.Max(DurableEnd, LogPosition.Min(write.End, Log.End));
        Call((core, now) => core.LogDurable(now, write.End, write.Generation));
        return true;
    }

    private SimulatedFrame NextFrame(Term term, FrameFlags flags, int length, Configuration? configuration = null)
    {
        Log.TryGetChain(Log.End, out var chain);

        // The content follows from term and position, so that scripted logs with equal terms are equal.
        return SimulatedFrame.Create(Log.End, length, term, flags, chain, Log.PrefixHashAt(Log.End)!.Value, content: 0, configuration);
    }

    private void Execute(RaftCore core, RaftEffect effect)
    {
        switch (effect)
        {
            case PersistMeta meta:
                _meta.Enqueue(meta);
                break;
            case CutTermStart:
                CutFrame(FrameFlags.TermStart | FrameFlags.ControlOnly, TestCluster.FrameLength);
                break;
            case CutConfiguration cut:
                CutFrame(FrameFlags.Configuration | FrameFlags.ControlOnly, TestCluster.FrameLength, cut.Configuration);
                break;
            case ConfigurationChanged changed:
                Configuration = changed;
                break;
            case WriteRange write:
                foreach (var summary in write.Source?.Frames ?? [])
                {
                    if (summary.Base >= write.Base)
                    {
                        Log.Append(SimulatedFrame.Receive(summary, Log.PrefixHashAt(Log.End)!.Value, write.Source!.Configurations));
                    }
                }

                _writes.Enqueue(write);
                break;
            case TruncateTo cut:
                Log.TruncateTo(cut.Position);
                DurableEnd = LogPosition.Min(DurableEnd, cut.Position);
                break;
            case Send send:
                cluster.Send(this, send);
                break;
            default:
                break;
        }
    }
}
