using System.Text;
using Dledger.Primitives;
using Dledger.Testing.Ports;

namespace Dledger.Replication.Tests.Clusters;

/// <summary>Real nodes in one process: loopback TCP, temporary directories, the system clock.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly List<TestNode> _nodes;
    private readonly List<PortLease> _ports = [];
    private readonly string _root = Path.Combine(Path.GetTempPath(), $"dledger-{Guid.NewGuid():N}");

    public TestCluster(int nodeCount)
    {
        var members = Enumerable.Range(1, nodeCount)
            .Select(id => new ClusterMember(new NodeId(id), "127.0.0.1", nodeCount == 1 ? 1 : FreePort()))
            .ToList();
        _nodes = [.. members.Select(m => new TestNode(m.Node, members, Path.Combine(_root, $"n{m.Node}")))];
    }

    public IReadOnlyList<TestNode> Nodes => _nodes;

    public IEnumerable<TestNode> RunningNodes => Nodes.Where(node => node.Node is not null);

    public static TestCluster Started(int nodeCount)
    {
        var cluster = new TestCluster(nodeCount);
        foreach (var node in cluster.Nodes)
        {
            node.Start();
        }

        return cluster;
    }

    /// <summary>One more node that knows the others' addresses; they do not know it.</summary>
    public TestNode Prepare()
    {
        var self = new NodeId(_nodes.Count + 1);
        var members = _nodes[0].Options.Members.Append(new ClusterMember(self, "127.0.0.1", FreePort())).ToList();
        var node = new TestNode(self, members, Path.Combine(_root, $"n{self}"));
        _nodes.Add(node);
        return node;
    }

    /// <summary>Asks whoever leads until the change is done.</summary>
    public async Task ChangeAsync(MembershipChange change)
    {
        while (true)
        {
            var leader = await WaitForLeaderAsync();
            var outcome = await leader.Running.ChangeMembershipAsync(
                change, TimeSpan.FromSeconds(20), CancellationToken.None);
            if (outcome.Kind == MembershipOutcomeKind.Done)
            {
                return;
            }

            Assert.True(
                outcome.Kind is MembershipOutcomeKind.NotLeader or MembershipOutcomeKind.Unknown,
                $"{outcome} {Describe()}");
        }
    }

    public TestNode? FindLeader() => RunningNodes.FirstOrDefault(node => node.Running.Status.IsServing);

    public async Task<TestNode> WaitForLeaderAsync()
    {
        await Eventually.TrueAsync(() => FindLeader() is not null, "a leader serves", Describe);
        return FindLeader() ?? await WaitForLeaderAsync();
    }

    /// <summary>Proposes until somebody commits it; an unknown outcome may leave the body in the log twice.</summary>
    public async Task<LogPosition> ProposeAsync(string body)
    {
        while (true)
        {
            var leader = await WaitForLeaderAsync();
            if (await TryProposeAsync(leader, body) is { Position: { } position })
            {
                return position;
            }
        }
    }

    public static async Task<ProposalOutcome> TryProposeAsync(TestNode node, string body)
    {
        var proposal = new TestProposal(Encoding.UTF8.GetBytes(body));
        return node.Running.TryPropose(proposal, out var failure)
            ? await proposal.Outcome.WaitAsync(TimeSpan.FromSeconds(30))
            : new ProposalOutcome(null, failure);
    }

    /// <summary>Waits until all running nodes have applied the same frames and at least to a position.</summary>
    public Task WaitUntilEqualAsync(LogPosition atLeast) => Eventually.TrueAsync(
        () => RunningNodes.All(node => node.Machine.Digest.Applied > atLeast)
            && RunningNodes.Select(node => node.Machine.Digest).Distinct().Count() == 1,
        $"all nodes have applied the same log beyond {atLeast}",
        Describe);

    public string Describe()
    {
        var text = new StringBuilder();
        foreach (var node in Nodes)
        {
            text.AppendLine().Append(node.Self).Append(": ").Append(node.Node?.Status)
                .Append(' ').Append(node.Machine.Digest);
        }

        foreach (var line in Nodes.SelectMany(node => node.Log.Lines).Order().TakeLast(200))
        {
            text.AppendLine().Append(line);
        }

        return text.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
        {
            await node.DropAsync();
        }

        _ports.ForEach(lease => lease.Dispose());
        if (Directory.Exists(_root))
        {
            Directory.Delete(_root, recursive: true);
        }
    }

    private int FreePort()
    {
        var lease = LoopbackPorts.Lease(1);
        _ports.Add(lease);
        return lease.Ports[0];
    }
}
