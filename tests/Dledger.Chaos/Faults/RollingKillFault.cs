using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Faults;

/// <summary>F1: kill -9 of one node after the other, each started again before the next is killed.</summary>
internal sealed class RollingKillFault : IFault
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private int _killed;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        foreach (var node in round.All())
        {
            var end = node.Ended;
            await node.KillAsync();
            _killed += await end == 137 ? 1 : 0;
            await Wait.ForAsync(TimeSpan.FromSeconds(round.Random.NextDouble()), cancellationToken);
            node.Start();
            await Wait.UntilAsync(Patience, async () => await round.Cluster.AskAsync(node) is not null, cancellationToken);
        }
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        round.Proof["killed"] = _killed;
        return Task.FromResult(_killed == round.On.Count && _killed > 0);
    }

    public Task HealAsync(FaultRound round)
    {
        foreach (var node in round.Cluster.Nodes.Where(node => !node.IsRunning))
        {
            node.Start();
        }

        return Task.CompletedTask;
    }
}
