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
using Dledger.Simulation.Schedules;

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
        Checks = new Checks(scenario.NodeCount, only);
        Clients = new SimulatedClients(this);
        Network = new SimulatedNetwork(this);
        Configuration = new Configuration(Enumerable.Range(1, scenario.NodeCount).Select(number => new NodeId(number)));
        Nodes = [.. Configuration.Voters.Select(id => new SimulatedNode(this, id))];
        _faults = new FaultInjector(this);
    }

    public Scenario Scenario { get; }

    public SimulationRandom Random { get; }

    public EventQueue Events { get; } = new();

    public Trace Trace { get; }

    public Marks Marks { get; } = new();

    public Checks Checks { get; }

    public SimulatedClients Clients { get; }

    public SimulatedNetwork Network { get; }

    public Configuration Configuration { get; }

    public IReadOnlyList<SimulatedNode> Nodes { get; }

    /// <summary>How long after the faults stopped all nodes had converged; microseconds.</summary>
    public long HealedAfter { get; private set; }

    public SimulatedNode? Find(NodeId id) => id == NodeId.None ? null : Nodes[id.Value - 1];

    public RaftOptions CreateOptions(NodeId self) => new()
    {
        Self = self,
        Configuration = Configuration,
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
        _faults.Start();
        while (Events.TryRunNext(Scenario.FaultPhase))
        {
        }

        Heal();
    }

    private void Heal()
    {
        Trace.Line(Events.Now, 0, "faults stop");
        var alive = _faults.StopAndHeal();
        Clients.IsStopped = true;
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
                    Clients.ProposeTo(alive.First(node => node.Core!.Role == RaftRole.Leader));
                }
            }

            // The bound is on electing and settling. How long a node that missed much needs to catch up depends on the
            // scenario's window; it only must not stand still for a whole T.
            if (alive.Min(node => node.Core?.Durable ?? LogPosition.Zero) is var slowest && slowest > lowest)
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
        foreach (var node in alive)
        {
            Checks.Log.EpochsOf(node);
            Checks.Check(
                "I20",
                node.Log.PrefixHashAt(Checks.Commits.End) == (Checks.Commits.Committed.Count == 0 ? 0 : Checks.Commits.Committed[^1].Frame.PrefixHash),
                $"node {node.Id} does not hold the committed log");
        }
    }

    private static bool HasConverged(IReadOnlyList<SimulatedNode> alive)
    {
        var leader = alive.FirstOrDefault(node => node.Core!.Role == RaftRole.Leader)?.Core;
        return leader is not null && alive.All(node => node.Core is { } core
            && core.Term == leader.Term && core.Leader == leader.Leader && core.End == leader.End
            && core.Commit == leader.End && core.Durable == leader.End);
    }

    private static string Describe(SimulatedNode node) => node.Core is not { } core ? $"n{node.Id} down"
        : $"n{node.Id} {core.Role} term={core.Term} leader={core.Leader} durable={core.Durable} end={core.End} commit={core.Commit}";
}
