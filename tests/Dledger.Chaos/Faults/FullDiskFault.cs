using Dledger.Chaos.Clusters;

namespace Dledger.Chaos.Faults;

/// <summary>F13: the disk of nodes is full. Today a node whose log cannot grow stops with its own exit code and takes part
/// again once there is room and it is started anew.</summary>
internal sealed class FullDiskFault(Victims victims) : IFault
{
    private const long BytesLeft = 1 << 20;
    private const long FreeBytesMax = 4 * BytesLeft;
    private const int NodeFaultCode = 8;

    private IReadOnlyList<ChaosNode> _nodes = [];

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _nodes = await round.ChooseAsync(victims, cancellationToken);
        foreach (var node in _nodes)
        {
            node.MayEnd = true;
            await round.Cluster.Volumes[node.Id].FillAsync(BytesLeft);
        }
    }

    public async Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var codes = new List<int>();
        foreach (var node in _nodes.Where(node => !node.IsRunning))
        {
            codes.Add(await node.Ended);
        }

        round.Proof["bytesFree"] = string.Join(' ', _nodes.Select(node => round.Cluster.Volumes[node.Id].FreeBytes));
        round.Proof["exitCodes"] = string.Join(' ', codes);
        if (codes.FirstOrDefault(code => code != NodeFaultCode) is not 0 and var other)
        {
            round.Surprises.Add($"a node with a full disk ended with code {other} instead of {NodeFaultCode}");
        }

        return _nodes.All(node => round.Cluster.Volumes[node.Id].FreeBytes <= FreeBytesMax);
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
