using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Faults;

/// <summary>An operator hands the leadership over (<c>dledger cluster transfer</c>); every node stays up.</summary>
internal sealed class TransferFault : IFault
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private ChaosNode? _before;
    private ChaosNode? _after;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _before = await round.LeaderAsync(cancellationToken);
        round.Proof["answer"] = await round.Cluster.TransferAsync(0, cancellationToken);
        await Wait.UntilAsync(
            Patience,
            async () => (_after = await round.Cluster.FindLeaderAsync()) is { } leader && leader != _before,
            cancellationToken);
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        round.Proof["from"] = _before?.Id;
        round.Proof["to"] = _after?.Id;
        return Task.FromResult(_after is not null && _after != _before);
    }

    public Task HealAsync(FaultRound round) => Task.CompletedTask;
}
