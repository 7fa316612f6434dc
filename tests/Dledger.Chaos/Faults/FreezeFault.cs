using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Faults;

/// <summary>F2: SIGSTOP. The processes keep their connections and everything they believe, and wake up later.</summary>
internal sealed class FreezeFault(Victims victims) : IFault
{
    private IReadOnlyList<ChaosNode> _nodes = [];

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _nodes = await round.ChooseAsync(victims, cancellationToken);
        foreach (var node in _nodes)
        {
            node.Signal(Signals.Stop);
        }
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var states = string.Concat(_nodes.Select(node => node.ProcessState()));
        round.Proof["states"] = states;
        return Task.FromResult(states.Length > 0 && states.All(state => state == 'T'));
    }

    public Task HealAsync(FaultRound round)
    {
        foreach (var node in _nodes)
        {
            node.Signal(Signals.Continue);
        }

        return Task.CompletedTask;
    }
}
