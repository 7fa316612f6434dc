using Dledger.Chaos.Networks;

namespace Dledger.Chaos.Faults;

/// <summary>F3 to F6: links of the switch are cut, silently.</summary>
internal sealed class PartitionFault(PartitionShape shape) : IFault
{
    private const int Clients = 0;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var network = round.Cluster.Network!;
        var leader = (await round.LeaderAsync(cancellationToken)).Id;
        var others = round.Cluster.Nodes.Select(node => node.Id).Where(id => id != leader).ToArray();
        round.Random.Shuffle(others);
        switch (shape)
        {
            case PartitionShape.LeaderAlone:
                network.Part([leader], [Clients, .. others]);
                break;
            case PartitionShape.LeaderFromPeers:
                network.Part([leader], others);
                break;
            case PartitionShape.LeaderMute:
                Cut(network, [leader], others);
                break;
            case PartitionShape.LeaderDeaf:
                Cut(network, others, [leader]);
                break;
            case PartitionShape.Bridge:
                // others[0] is the bridge; the leader and those after it cannot see the rest.
                var split = others.Length / 2;
                network.Part([leader, .. others[1..split]], others[Math.Max(1, split)..]);
                break;
            case PartitionShape.Ring:
                int[] ring = [leader, .. others];
                for (var i = 0; i < ring.Length; i++)
                {
                    network.Part([ring[i]], [ring[(i + 2) % ring.Length]]);
                }

                break;
            case PartitionShape.ClientsFromLeader:
                network.Part([leader], [Clients]);
                break;
            case PartitionShape.Swizzle:
                await SwizzleAsync(round, others[..(others.Length / 2)].Append(leader).ToArray(), cancellationToken);
                break;
        }
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        round.Proof["framesDropped"] = round.Cluster.Network!.Switch.Hits;
        return Task.FromResult(round.Cluster.Network!.Switch.Hits > 0);
    }

    public Task HealAsync(FaultRound round)
    {
        round.Cluster.Network?.Switch.Heal();
        return Task.CompletedTask;
    }

    private static void Cut(NodeNetwork network, IEnumerable<int> from, int[] to)
    {
        foreach (var sender in from)
        {
            foreach (var receiver in to)
            {
                network.Switch.Set(sender, receiver, LinkRule.Closed);
            }
        }
    }

    private static async Task SwizzleAsync(FaultRound round, int[] nodes, CancellationToken cancellationToken)
    {
        var network = round.Cluster.Network!;
        foreach (var rule in new[] { LinkRule.Closed, LinkRule.Open })
        {
            round.Random.Shuffle(nodes);
            foreach (var node in nodes)
            {
                foreach (var other in round.Cluster.Nodes.Select(peer => peer.Id).Append(Clients).Where(id => id != node))
                {
                    network.Switch.Set(node, other, rule);
                    network.Switch.Set(other, node, rule);
                }

                await Machines.Wait.ForAsync(TimeSpan.FromSeconds(round.Random.NextDouble()), cancellationToken);
            }
        }
    }
}
