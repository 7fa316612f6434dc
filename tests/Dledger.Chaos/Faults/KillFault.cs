using Dledger.Chaos.Clusters;

namespace Dledger.Chaos.Faults;

/// <summary>F1: kill -9; the nodes start again when it is healed.</summary>
internal sealed class KillFault(Victims victims) : IFault
{
    private const int KilledExitCode = 137;

    private IReadOnlyList<ChaosNode> _nodes = [];
    private Task<int>[] _ends = [];

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _nodes = await round.ChooseAsync(victims, cancellationToken);
        _ends = [.. _nodes.Select(node => node.Ended)];
        await Task.WhenAll(_nodes.Select(node => node.KillAsync()));
    }

    public async Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var codes = await Task.WhenAll(_ends);
        round.Proof["exitCodes"] = string.Join(' ', codes);
        return codes.All(code => code == KilledExitCode);
    }

    public Task HealAsync(FaultRound round)
    {
        foreach (var node in _nodes.Where(node => !node.IsRunning))
        {
            node.Start();
        }

        return Task.CompletedTask;
    }
}
