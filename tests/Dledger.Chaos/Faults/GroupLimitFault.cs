using System.Globalization;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;
using Dledger.Chaos.Workers;

namespace Dledger.Chaos.Faults;

/// <summary>F21 and F22: a control group takes memory or CPU away from one node.</summary>
/// <param name="isMemory">Memory: a limit below what it uses under load, so that the kernel takes pages back all the time,
/// refuses more or kills it. Otherwise a fifth of one CPU.</param>
internal sealed class GroupLimitFault(bool isMemory) : IFault
{
    // A node that has just started holds some 20 MiB that cannot be taken back, so both things happen: it is killed, or it
    // lives on with what the kernel leaves it.
    private const int MemoryMiBMin = 20;
    private const int MemoryMiBMax = 64;
    private const long LoadBytes = 16L << 20;
    private const int CpuQuota = 20_000;

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LoadStallMax = TimeSpan.FromSeconds(5);

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
        var limit = round.Random.Next(MemoryMiBMin, MemoryMiBMax + 1);
        round.Proof["limitMiB"] = limit;
        _group.Set("memory.limit_in_bytes", (long)limit << 20);
        await _node.KillAsync();
        _node.Start(_group.LaunchPrefix);
        _node.MayEnd = true;
        await Wait.UntilAsync(
            StartPatience, async () => !_node.IsRunning || await round.Cluster.IsWholeAsync(), cancellationToken);
        using var load = new BulkLoad(round.Cluster.Nodes.Where(node => node != _node));
        await load.PrepareAsync(cancellationToken);
        await load.SendAsync(LoadBytes, LoadStallMax, cancellationToken);
    }

    public async Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        if (isMemory)
        {
            var refused = long.Parse(_group!.Get("memory.failcnt"), CultureInfo.InvariantCulture);
            round.Proof["chargesRefused"] = refused;
            round.Proof["kernelKills"] = _group.Get("memory.oom_control").Split('\n')
                .FirstOrDefault(line => line.StartsWith("oom_kill ", StringComparison.Ordinal));
            round.Proof["exitCode"] = _node!.IsRunning ? null : await _node.Ended;
            return refused > 0;
        }

        var throttled = _group!.Get("cpu.stat").Split('\n').First(line => line.StartsWith("nr_throttled", StringComparison.Ordinal));
        round.Proof["throttled"] = throttled;
        return !throttled.EndsWith(" 0", StringComparison.Ordinal);
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
