using Dledger.Chaos.Networks;

namespace Dledger.Chaos.Faults;

/// <summary>F7 and F9: links between all ports, or from and to the leader, get worse: delay, loss, doubled frames, resets.
/// </summary>
/// <param name="rule">What happens to every frame.</param>
/// <param name="isLeaderOnly">Only frames from and to the leader.</param>
internal sealed class LinkFault(LinkRule rule, bool isLeaderOnly) : IFault
{
    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var network = round.Cluster.Network!;
        var leader = isLeaderOnly ? (await round.LeaderAsync(cancellationToken)).Id : 0;
        var ports = round.Cluster.Nodes.Select(node => node.Id).Append(0).ToArray();
        if (!isLeaderOnly)
        {
            round.All();
        }

        foreach (var from in ports)
        {
            foreach (var to in ports.Where(to => to != from && (!isLeaderOnly || from == leader || to == leader)))
            {
                network.Switch.Set(from, to, rule);
            }
        }
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        round.Proof["framesTouched"] = round.Cluster.Network!.Switch.Hits;
        return Task.FromResult(round.Cluster.Network!.Switch.Hits > 0);
    }

    public Task HealAsync(FaultRound round)
    {
        round.Cluster.Network?.Switch.Heal();
        return Task.CompletedTask;
    }
}
