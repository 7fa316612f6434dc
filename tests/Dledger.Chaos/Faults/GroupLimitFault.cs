using System.Globalization;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Faults;

/// <summary>F21 and F22: a control group takes memory or CPU away from one node.</summary>
/// <param name="isMemory">Memory: a limit about at what it uses, so that pages are taken back or the kernel kills it.
/// Otherwise a fifth of one CPU.</param>
internal sealed class GroupLimitFault(bool isMemory) : IFault
{
    private const long MemoryLimit = 40L << 20;
    private const int CpuQuota = 20_000;

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);

    private ChaosNode? _node;
    private ControlGroup? _group;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _node = isMemory ? await round.FollowerAsync(cancellationToken) : await round.AnyAsync(cancellationToken);
        _group = ControlGroup.Create(isMemory ? "memory" : "cpu", $"{_node.Id}-{round.Random.Next()}", round.Undertaker);
        if (!isMemory)
        {
            _group.Set("cpu.cfs_quota_us", CpuQuota);
            _group.Add(_node.ProcessId);
            return;
        }

        // Only what a process takes while it is in the group counts, so it has to start there.
        _group.Set("memory.limit_in_bytes", MemoryLimit);
        await _node.KillAsync();
        _node.Start(_group.LaunchPrefix);
        _node.MayEnd = true;
        await Wait.UntilAsync(StartPatience, round.Cluster.IsWholeAsync, cancellationToken);
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        if (isMemory)
        {
            var refused = long.Parse(_group!.Get("memory.failcnt"), CultureInfo.InvariantCulture);
            round.Proof["chargesRefused"] = refused;
            round.Proof["killed"] = !_node!.IsRunning;
            return Task.FromResult(refused > 0);
        }

        var throttled = _group!.Get("cpu.stat").Split('\n').First(line => line.StartsWith("nr_throttled", StringComparison.Ordinal));
        round.Proof["throttled"] = throttled;
        return Task.FromResult(!throttled.EndsWith(" 0", StringComparison.Ordinal));
    }

    public async Task HealAsync(FaultRound round)
    {
        if (isMemory && _node is not null)
        {
            await _node.KillAsync();
        }

        _group?.Dispose();
        if (_node is { IsRunning: false })
        {
            _node.Start();
        }
    }
}
