using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Quorums;
using Dledger.Simulation.Clients;
using Dledger.Simulation.Faults;
using Dledger.Simulation.Invariants;
using Dledger.Simulation.Networks;
using Dledger.Simulation.Nodes;
using Dledger.Simulation.Reports;
using Dledger.Simulation.Scenarios;
using Dledger.Testing.Schedules;

namespace Dledger.Simulation;

/// <summary>A whole group in one thread: first with faults, then healed, when it must converge (I50).</summary>
internal sealed class SimulatedCluster
{
    private readonly FaultInjector _faults;

    public SimulatedCluster(ulong seed, Scenario scenario, TextWriter? trace, IReadOnlySet<string>? only = null)
    {
        Scenario = scenario;
        Random = new SimulationRandom(seed);
        Trace = new Trace(trace);
        Checks = new Checks(only);
        Clients = new SimulatedClients(this);
        Readers = new SimulatedReaders(this);
        Network = new SimulatedNetwork(this);
        Nodes = [.. Enumerable.Range(1, scenario.NodeCount + scenario.SpareCount).Select(number => new SimulatedNode(this, new NodeId(number)))];
        Founders = new Configuration(Nodes.Take(scenario.NodeCount).Select(node => node.Disk.Member));
        Damages = new DamageBudget(this);
        _faults = new FaultInjector(this);
        Operator = new MembershipOperator(this);
    }

    public Scenario Scenario { get; }

    public SimulationRandom Random { get; }

    public EventQueue Events { get; } = new();

    public Trace Trace { get; }

    public Marks Marks { get; } = new();

    public Checks Checks { get; }

    public SimulatedClients Clients { get; }

    public SimulatedReaders Readers { get; }

    public SimulatedNetwork Network { get; }

    /// <summary>The first configuration.</summary>
    public Configuration Founders { get; }

    public DamageBudget Damages { get; }

    public MembershipOperator Operator { get; }

    public IReadOnlyList<SimulatedNode> Nodes { get; }

    /// <summary>How long after the faults stopped all nodes had converged; microseconds.</summary>
    public long HealedAfter { get; private set; }

    public SimulatedNode? Find(NodeId id) => id == NodeId.None ? null : Nodes[id.Value - 1];

    public RaftOptions CreateOptions(Member self) => new()
    {
        Self = self.Node,
        StorageId = self.StorageId,
        ElectionTimeoutMin = Scenario.ElectionTimeoutMin,
        ElectionTimeoutMax = Scenario.ElectionTimeoutMax,
        HeartbeatInterval = Scenario.ElectionTimeoutMin / 7,
        ResetDelayMin = Scenario.ElectionTimeoutMin / 50,
        ResetDelayMax = Scenario.ElectionTimeoutMin / 8,
        CheckQuorumWindow = 2 * Scenario.ElectionTimeoutMin,
        TransferCatchUpMax = Scenario.ElectionTimeoutMin,
        StallLimit = Scenario.ElectionTimeoutMin,
        StallHardLimit = 10 * Scenario.ElectionTimeoutMin,
        RangeBytesMax = Scenario.RangeBytesMax,
        ProbeBytesMax = Scenario.RangeBytesMax,
        WindowBytesMax = 4L * Scenario.RangeBytesMax,
        UncommittedBytesMax = Math.Max(64 << 10, 8L * Scenario.RangeBytesMax),
        PromotionLagMax = 64 << 10,
        Defect = Scenario.Defect,
    };

    /// <summary>Runs to the end; throws <see cref="SimulationFailure"/> at the first broken invariant.</summary>
    public void Run()
    {
        Trace.Line(0, 0, Scenario.ToString());
        if (Scenario.HasPassiveNode && Nodes.Count > 1)
        {
            var passive = Nodes[Random.Next(Nodes.Count)];
            passive.StartsPassive = true;
            Events.After(Random.Next(1, Scenario.FaultPhase), () =>
            {
                Marks.Reach("passive node activated");
                passive.StartsPassive = false;
                passive.Post("activate", (core, now) => core.Activate(now));
            });
        }

        foreach (var node in Nodes)
        {
            node.Boot();
        }

        Network.Start();
        Clients.Start();
        Readers.Start();
        _faults.Start();
        Operator.Start();
        while (Events.TryRunNext(Scenario.FaultPhase))
        {
        }

        Heal();
    }

    private void Heal()
    {
        Trace.Line(Events.Now, 0, "faults stop");
        Clients.IsStopped = true;
        Operator.IsStopped = true;
        var alive = _faults.StopAndHeal();
        var healedAt = Events.Now;
        var deadline = healedAt + (5 * Scenario.ElectionTimeoutMax);
        var lowest = LogPosition.Zero;
        var acknowledged = Clients.AcknowledgedCount;
        var proposeAt = healedAt;
        while (true)
        {
            if (HasConverged(alive))
            {
                if (Clients.AcknowledgedCount > acknowledged)
                {
                    break;
                }

                if (Events.Now >= proposeAt)
                {
                    // A leader may refuse while it hands over, so it is asked again.
                    proposeAt = Events.Now + Scenario.ElectionTimeoutMin;
                    Clients.ProposeTo(MembersOf(alive).First(node => node.Core!.Role == RaftRole.Leader));
                }
            }

            // The bound is on electing and settling. How long a node that missed much needs to catch up depends on the
            // scenario's window; it only must not stand still for a whole T.
            var members = MembersOf(alive);
            if (members.Count > 0 && members.Min(node => node.Core?.Durable ?? LogPosition.Zero) is var slowest && slowest > lowest)
            {
                lowest = slowest;
                deadline = Math.Max(deadline, Events.Now + Scenario.ElectionTimeoutMax);
            }

            var isInTime = Events.TryRunNext(deadline);
            Checks.Check(
                "I50",
                isInTime,
                $"not converged in 5 T, and no progress for one T: {string.Join("; ", alive.Select(Describe))}");
            if (!isInTime)
            {
                return;
            }
        }

        HealedAfter = Events.Now - healedAt;
        foreach (var node in MembersOf(alive))
        {
            Checks.Log.EpochsOf(node);
            Checks.Check(
                "I20",
                node.Log.PrefixHashAt(Checks.Commits.End) == (Checks.Commits.Committed.Count == 0 ? 0 : Checks.Commits.Committed[^1].Frame.PrefixHash),
                $"node {node.Id} does not hold the committed log");
        }
    }

    /// <summary>The nodes of these that have a part, by the account of their leader; none without a leader.</summary>
    private static List<SimulatedNode> MembersOf(IReadOnlyList<SimulatedNode> alive)
    {
        // A node that was removed while it was cut off may still believe that it leads, until it notices.
        var leader = alive.Where(node => node.Core?.Role == RaftRole.Leader).MaxBy(node => node.Core!.Term)?.Core;
        return leader is null ? [] : [.. alive.Where(node => leader.Configuration.Members.Contains(node.Disk.Member))];
    }

    private static bool HasConverged(IReadOnlyList<SimulatedNode> alive)
    {
        var members = MembersOf(alive);
        var leader = members.Where(node => node.Core!.Role == RaftRole.Leader).MaxBy(node => node.Core!.Term)?.Core;
        return leader is { Configuration.IsJoint: false } && members.All(node => node.Core is { } core
            && core.Term == leader.Term && core.Leader == leader.Leader && core.End == leader.End
            && core.Commit == leader.End && core.Durable == leader.End && !core.HasLoss);
    }

    private static string Describe(SimulatedNode node) => node.Core is not { } core ? $"n{node.Id} down"
        : $"n{node.Id} {core.Role} term={core.Term} leader={core.Leader} durable={core.Durable} end={core.End} "
        + $"commit={core.Commit}{(core.HasLoss ? " loss" : "")} {core.Configuration}";
}
