using System.Diagnostics;
using Dledger.Chaos.Clusters;

namespace Dledger.Chaos.Faults;

/// <summary>SIGTERM to the leader, as an operator stops it: it hands over and ends with code 0.</summary>
internal sealed class PlannedStopFault : IFault
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private ChaosNode? _node;
    private int? _code;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _node = await round.LeaderAsync(cancellationToken);
        var watch = Stopwatch.StartNew();
        _code = await _node.StopAsync(Patience);
        round.Proof["stopMilliseconds"] = watch.ElapsedMilliseconds;
        if (_code != 0)
        {
            round.Surprises.Add($"node {_node.Id} was told to stop and ended with {_code?.ToString() ?? "nothing at all"}");
        }
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        round.Proof["exitCode"] = _code;
        return Task.FromResult(_node is { IsRunning: false });
    }

    public async Task HealAsync(FaultRound round)
    {
        if (_node is { } node)
        {
            await node.KillAsync();
            node.Start();
        }
    }
}
