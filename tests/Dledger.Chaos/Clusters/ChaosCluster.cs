using Dledger.Chaos.Disks;
using Dledger.Chaos.Histories;
using Dledger.Chaos.Machines;
using Dledger.Chaos.Networks;
using Dledger.Chaos.Workers;
using Dledger.Protocol.Admin.V1;
using Dledger.Testing.Ports;
using Grpc.Core;

namespace Dledger.Chaos.Clusters;

/// <summary>The nodes of a run, with the network and the volumes that were made for them.</summary>
internal sealed class ChaosCluster : IAsyncDisposable
{
    private const long VolumeBytes = 8L << 30;
    private const int PortInNamespace = 8081;
    private const int SpareCount = 1;

    private static readonly TimeSpan AskTimeMax = TimeSpan.FromMilliseconds(500);

    // The leader asks every node, and one of them may be frozen or far away.
    private static readonly TimeSpan MembersTimeMax = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan TransferTimeMax = TimeSpan.FromSeconds(10);

    private readonly NodeClient[] _clients;

    private ChaosCluster(
        IReadOnlyList<ChaosNode> nodes, ChaosNode spare, NodeNetwork? network, IReadOnlyDictionary<int, LoopVolume> volumes)
    {
        Nodes = nodes;
        Spare = spare;
        Everyone = [.. nodes, spare];
        Network = network;
        Volumes = volumes;
        _clients = [.. Everyone.Select(node => new NodeClient(node.Place, "chaos-observer"))];
    }

    /// <summary>The nodes that found the cluster, by number, from 1. Clients know these.</summary>
    public IReadOnlyList<ChaosNode> Nodes { get; }

    /// <summary>A node with the next number that knows the others and is known to none of them. It does not run, and is no
    /// member, unless a fault is about that.</summary>
    public ChaosNode Spare { get; }

    /// <summary>All of them, by number.</summary>
    public IReadOnlyList<ChaosNode> Everyone { get; }

    /// <summary>Null: the nodes share the loopback device.</summary>
    public NodeNetwork? Network { get; }

    /// <summary>By node; empty: the data lies in the directory of the run.</summary>
    public IReadOnlyDictionary<int, LoopVolume> Volumes { get; }

    /// <summary>Makes nodes without starting them; leaves nothing behind when that fails.</summary>
    public static async Task<ChaosCluster> CreateAsync(ChaosOptions options, HistoryRecorder recorder, Undertaker undertaker)
    {
        var count = options.NodeCount + SpareCount;
        NodeNetwork? network = null;
        var volumes = new Dictionary<int, LoopVolume>();
        try
        {
            network = options.UsesNetwork
                ? await NodeNetwork.CreateAsync(count, undertaker, new Random(options.Seed))
                : null;
            for (var id = 1; options.UsesVolumes && id <= options.NodeCount; id++)
            {
                volumes[id] = await LoopVolume.CreateAsync(undertaker.Directory, $"node-{id}", VolumeBytes, undertaker);
            }

            var ports = LoopbackPorts.Take(2 * count);
            var places = Enumerable.Range(1, count).Select(id => new NodePlace(
                id,
                network?.HostOf(id) ?? "127.0.0.1",
                network is null ? ports[id - 1] : PortInNamespace,
                network is null ? ports[count + id - 1] : PortInNamespace + 1000,
                Path.Combine(volumes.GetValueOrDefault(id)?.MountPoint ?? undertaker.Directory, $"data-{id}"),
                Path.Combine(undertaker.Directory, $"node-{id}.json"),
                Path.Combine(options.OutputDirectory, $"node-{id}.log"),
                network?.LaunchPrefix(id) ?? [])).ToArray();
            var nodes = places.Select(place => new ChaosNode(place, recorder, undertaker, options.Binary)).ToArray();
            foreach (var node in nodes)
            {
                var known = places.Take(options.NodeCount).Union([node.Place]);
                node.WriteConfiguration(known, options.FlushMode, options.Storage);
            }

            return new ChaosCluster(nodes[..options.NodeCount], nodes[^1], network, volumes);
        }
        catch (Exception)
        {
            foreach (var volume in volumes.Values)
            {
                await volume.DisposeAsync();
            }

            if (network is not null)
            {
                await network.DisposeAsync();
            }

            throw;
        }
    }

    public ChaosNode Node(int id) => Everyone[id - 1];

    /// <summary>What a node says of itself; null when it does not answer.</summary>
    public async Task<NodeStatus?> AskAsync(ChaosNode node) =>
        (await AskAsync(node, new ClusterStatusRequest { LocalOnly = true })).FirstOrDefault();

    /// <summary>A node as the leader sees it; null when there is no leader, or it does not answer.</summary>
    public async Task<NodeStatus?> AskLeaderAboutAsync(ChaosNode node) =>
        await FindLeaderAsync() is { } leader
            ? (await AskAsync(leader, new ClusterStatusRequest(), MembersTimeMax)).FirstOrDefault(status => status.NodeId == node.Id)
            : null;

    /// <summary>What each node says, by number; null where one does not answer or does not run.</summary>
    public Task<NodeStatus?[]> AskAllAsync() => Task.WhenAll(
        Everyone.Select(node => node.IsRunning ? AskAsync(node) : Task.FromResult<NodeStatus?>(null)));

    /// <summary>The configuration as the leader has it, by node (<c>dledger node list</c>); empty when no leader answers.
    /// </summary>
    public async Task<IReadOnlyDictionary<int, MemberRole>> MembersAsync() =>
        await FindLeaderAsync() is { } leader
            ? (await AskAsync(leader, new ClusterStatusRequest(), MembersTimeMax)).ToDictionary(status => status.NodeId, status => status.MemberRole)
            : new Dictionary<int, MemberRole>();

    /// <summary>The node that serves in the highest term; null when there is none.</summary>
    public async Task<ChaosNode?> FindLeaderAsync()
    {
        var statuses = await AskAllAsync();
        return statuses.Where(status => status is { Serving: true }).MaxBy(status => status!.Term) is { } leader
            ? Node(leader.NodeId)
            : null;
    }

    /// <summary>The machine of a node has lost its power and is back: the volume without what was not synced, another boot id,
    /// and the node started.</summary>
    public async Task RebootAsync(ChaosNode node)
    {
        await node.KillAsync();
        await Volumes[node.Id].RemountAsync();
        node.Reboot(Volumes.Where(volume => volume.Key != node.Id).Select(volume => volume.Value.MountPoint));
        node.Start();
    }

    /// <summary>Asks for another leader, as an operator does; the answer.</summary>
    /// <param name="target">0: whoever is furthest.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<string> TransferAsync(int target, CancellationToken cancellationToken)
    {
        if (await FindLeaderAsync() is not { } leader)
        {
            return "no leader";
        }

        try
        {
            var client = _clients[leader.Id - 1];
            var answer = await client.Admin.TransferLeadershipAsync(
                new TransferLeadershipRequest { TargetNodeId = target }, client.Options(TransferTimeMax, cancellationToken));
            return answer.Status.Code.ToString();
        }
        catch (RpcException exception)
        {
            return exception.StatusCode.ToString();
        }
    }

    /// <summary>Whether one node leads and serves, and every other follows it closely.</summary>
    public async Task<bool> IsWholeAsync()
    {
        var statuses = await AskAllAsync();
        var leader = statuses.Where(status => status is { Serving: true }).MaxBy(status => status!.Term);
        return leader is not null && Nodes.All(node =>
            statuses[node.Id - 1] is { } status
            && (status.NodeId == leader.NodeId
                || (status.Role == NodeRole.Follower && status.LeaderId == leader.NodeId
                    && leader.EndPosition - status.DurablePosition < 1 << 20)));
    }

    /// <summary>Ends all nodes at once and removes what was made for them.</summary>
    public async ValueTask DisposeAsync()
    {
        Network?.Switch.Heal();
        foreach (var client in _clients)
        {
            client.Dispose();
        }

        await Task.WhenAll(Everyone.Select(node => node.KillAsync()));
        foreach (var volume in Volumes.Values)
        {
            await volume.DisposeAsync();
        }

        if (Network is not null)
        {
            await Network.DisposeAsync();
        }
    }

    private async Task<IReadOnlyList<NodeStatus>> AskAsync(
        ChaosNode node, ClusterStatusRequest request, TimeSpan? timeMax = null)
    {
        try
        {
            var client = _clients[node.Id - 1];
            return (await client.Admin.ClusterStatusAsync(request, client.Options(timeMax ?? AskTimeMax))).Nodes;
        }
        catch (RpcException)
        {
            return [];
        }
    }
}
