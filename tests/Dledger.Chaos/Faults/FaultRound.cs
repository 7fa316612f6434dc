using System.Text.Json.Nodes;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Histories;
using Dledger.Chaos.Machines;
using Dledger.Chaos.Workers;

namespace Dledger.Chaos.Faults;

/// <summary>One place in the schedule: where a fault acts, what it hits, and what came of it.</summary>
internal sealed class FaultRound(Workload workload, Undertaker undertaker, Random random)
{
    private static readonly TimeSpan LeaderPatience = TimeSpan.FromSeconds(20);

    public Workload Workload { get; } = workload;

    public ChaosCluster Cluster => Workload.Cluster;

    public Undertaker Undertaker { get; } = undertaker;

    public HistoryRecorder Recorder => Workload.Recorder;

    /// <summary>Randomness of this round alone, fixed by the seed.</summary>
    public Random Random { get; } = random;

    /// <summary>Nodes that it hits.</summary>
    public List<int> On { get; } = [];

    /// <summary>What was seen of it.</summary>
    public JsonObject Proof { get; } = [];

    /// <summary>What the nodes must not do under this fault, but did. Makes the run red.</summary>
    public List<string> Surprises { get; } = [];

    /// <summary>Chooses the leader.</summary>
    public async Task<ChaosNode> LeaderAsync(CancellationToken cancellationToken)
    {
        ChaosNode? leader = null;
        await Wait.UntilAsync(
            LeaderPatience, async () => (leader = await Cluster.FindLeaderAsync()) is not null, cancellationToken);
        return Hit(leader ?? throw new ChaosException("there is no leader to injure"));
    }

    /// <summary>Chooses a node that does not lead.</summary>
    public async Task<ChaosNode> FollowerAsync(CancellationToken cancellationToken)
    {
        var leader = await LeaderAsync(cancellationToken);
        On.Remove(leader.Id);
        var others = Cluster.Nodes.Where(node => node != leader && node.IsRunning).ToArray();
        return Hit(others[Random.Next(others.Length)]);
    }

    /// <summary>Chooses the leader or any other node.</summary>
    public Task<ChaosNode> AnyAsync(CancellationToken cancellationToken) =>
        Random.Next(2) == 0 ? LeaderAsync(cancellationToken) : FollowerAsync(cancellationToken);

    /// <summary>Chooses the given number of nodes, the leader among them.</summary>
    public async Task<IReadOnlyList<ChaosNode>> WithLeaderAsync(int count, CancellationToken cancellationToken)
    {
        var leader = await LeaderAsync(cancellationToken);
        var others = Cluster.Nodes.Where(node => node != leader && node.IsRunning).ToArray();
        Random.Shuffle(others);
        return [leader, .. others.Take(count - 1).Select(Hit)];
    }

    /// <summary>Chooses as the fault asks.</summary>
    public async Task<IReadOnlyList<ChaosNode>> ChooseAsync(Victims victims, CancellationToken cancellationToken) =>
        victims switch
        {
            Victims.Leader => [await LeaderAsync(cancellationToken)],
            Victims.Follower => [await FollowerAsync(cancellationToken)],
            Victims.Majority => await WithLeaderAsync((Cluster.Nodes.Count / 2) + 1, cancellationToken),
            _ => All(),
        };

    /// <summary>Chooses all nodes that run.</summary>
    public IReadOnlyList<ChaosNode> All() => [.. Cluster.Nodes.Where(node => node.IsRunning).Select(Hit)];

    private ChaosNode Hit(ChaosNode node)
    {
        On.Add(node.Id);
        return node;
    }
}
