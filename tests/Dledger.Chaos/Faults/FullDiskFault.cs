using Dledger.Chaos.Clusters;

namespace Dledger.Chaos.Faults;

/// <summary>F13: the disk of nodes is full. A leader refuses messages while it is, a log without room waits, and both go on by
/// themselves once there is room; no node ends.</summary>
internal sealed class FullDiskFault(Victims victims) : IFault
{
    private const long BytesLeft = 1 << 20;
    private const long FreeBytesMax = 4 * BytesLeft;

    private IReadOnlyList<ChaosNode> _nodes = [];

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _nodes = await round.ChooseAsync(victims, cancellationToken);
        foreach (var node in _nodes)
        {
            await round.Cluster.Volumes[node.Id].FillAsync(BytesLeft);
        }
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        round.Proof["bytesFree"] = string.Join(' ', _nodes.Select(node => round.Cluster.Volumes[node.Id].FreeBytes));
        round.Proof["running"] = string.Join(' ', _nodes.Select(node => node.IsRunning));
        return Task.FromResult(_nodes.All(node => round.Cluster.Volumes[node.Id].FreeBytes <= FreeBytesMax));
    }

    public Task HealAsync(FaultRound round)
    {
        foreach (var node in _nodes)
        {
            round.Cluster.Volumes[node.Id].Free();
            if (!node.IsRunning)
            {
                node.Start();
            }
        }

        return Task.CompletedTask;
    }
}
