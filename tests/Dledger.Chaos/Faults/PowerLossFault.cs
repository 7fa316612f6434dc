using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Faults;

/// <summary>F14 and F15: the file systems of nodes lose whatever was not synced, the nodes die, and both come back.</summary>
/// <param name="victims">Whose power fails.</param>
/// <param name="isAfterAck">At the moment at which an ack has just arrived; else at any.</param>
internal sealed class PowerLossFault(Victims victims, bool isAfterAck = false) : IFault
{
    private static readonly TimeSpan AckPatience = TimeSpan.FromSeconds(5);

    private IReadOnlyList<ChaosNode> _nodes = [];
    private long _failedWrites;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _nodes = await round.ChooseAsync(victims, cancellationToken);
        foreach (var node in _nodes)
        {
            node.MayEnd = true;
        }

        if (isAfterAck)
        {
            var acked = round.Recorder.Acked;
            await Wait.UntilAsync(
                AckPatience, () => round.Recorder.Acked > acked, cancellationToken, TimeSpan.FromMilliseconds(1));
        }

        foreach (var node in _nodes)
        {
            round.Cluster.Volumes[node.Id].CutPower();
        }

        foreach (var node in _nodes)
        {
            _failedWrites += round.Cluster.Volumes[node.Id].RefusesWrites() ? 1 : 0;
        }

        await Task.WhenAll(_nodes.Select(node => node.KillAsync()));
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        round.Proof["volumesThatRefuseWrites"] = _failedWrites;
        return Task.FromResult(_nodes.Count > 0 && _failedWrites == _nodes.Count && _nodes.All(node => !node.IsRunning));
    }

    public async Task HealAsync(FaultRound round)
    {
        foreach (var node in _nodes)
        {
            await round.Cluster.RebootAsync(node);
        }
    }
}
