using System.Diagnostics;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;
using Dledger.Chaos.Networks;
using Dledger.Chaos.Workers;

namespace Dledger.Chaos.Faults;

/// <summary>F8: the line of one follower carries 1 Mbit/s while the others take all they can. The leader must not keep for it
/// what it cannot send, the others go on, and the follower catches up when the line is wide again.</summary>
/// <remarks>
/// For a slow peer a leader may hold its window of 32 MiB. The newest 64 MiB of the log are in memory in any case, so that
/// much is written before the line gets narrow. With the load that follows, a leader that kept it all would be beyond the
/// heap that a node has (<see cref="ChaosNode.HeapBytesMax"/>), and would end.
/// </remarks>
internal sealed class SlowLinkFault : IFault
{
    private const long WarmBytes = 96L << 20;
    private const long LoadBytes = 224L << 20;
    private const long WindowBytes = 32L << 20;
    private const long LineBytesPerSecond = 1_000_000 / 8;

    // A quarter of a second of the line, as a small router has it.
    private const int QueueBytes = 32 << 10;

    private static readonly TimeSpan StallMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LoadStallMax = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan SampleStep = TimeSpan.FromMilliseconds(100);

    private readonly LinkShaper _in = new(LineBytesPerSecond, QueueBytes, Stopwatch.Frequency);
    private readonly LinkShaper _out = new(LineBytesPerSecond, QueueBytes, Stopwatch.Frequency);
    private ChaosNode? _follower;
    private TimeSpan _capped;
    private long _lag;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _follower = await round.FollowerAsync(cancellationToken);
        var leader = await round.Cluster.FindLeaderAsync() ?? throw new ChaosException("there is no leader");
        using var load = new BulkLoad([leader, .. round.Cluster.Nodes.Where(node => node != leader && node != _follower)]);
        await load.PrepareAsync(cancellationToken);
        await load.SendAsync(WarmBytes, LoadStallMax, cancellationToken);

        var life = leader.Life;
        var before = ProcessMemory.Of(leader.ProcessId);
        var end = await EndAsync(round, leader);
        var watch = Stopwatch.StartNew();
        Cap(round.Cluster.Network!, round.Cluster.Everyone.Select(node => node.Id).Append(0));
        var sending = load.SendAsync(LoadBytes, LoadStallMax, cancellationToken);
        var (most, stall) = await SampleAsync(round, leader, load, sending, cancellationToken);
        _capped = watch.Elapsed;

        // The follower cannot have what the line has not carried; asked itself it may answer late.
        _lag = await EndAsync(round, leader) - end - _in.PassedBytes;
        round.Proof["loadMiB"] = load.AckedBytes >> 20;
        round.Proof["lagMiB"] = _lag >> 20;
        round.Proof["leaderBefore"] = Describe(before);
        round.Proof["leaderAtMost"] = Describe(most);
        round.Proof["longestGapMs"] = (long)stall.TotalMilliseconds;
        Judge(round, leader, life, stall, await sending);
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        round.Proof["framesDropped"] = _in.DroppedFrames + _out.DroppedFrames;
        round.Proof["bytesToIt"] = _in.PassedBytes;
        var isNarrow = _in.PassedBytes <= (LineBytesPerSecond * _capped.TotalSeconds * 1.5) + QueueBytes;
        return Task.FromResult(isNarrow && _lag > WindowBytes);
    }

    public Task HealAsync(FaultRound round)
    {
        round.Cluster.Network?.Switch.Heal();
        return Task.CompletedTask;
    }

    private static async Task<long> EndAsync(FaultRound round, ChaosNode leader) =>
        (await round.Cluster.AskAsync(leader))?.EndPosition ?? 0;

    private static void Judge(FaultRound round, ChaosNode leader, int life, TimeSpan stall, bool isSent)
    {
        if (!isSent || stall > StallMax)
        {
            round.Surprises.Add($"nothing was acked for {stall.TotalSeconds:0.0} s while one follower was slow");
        }

        if (leader.Life != life || !leader.IsRunning)
        {
            round.Surprises.Add("the leader ended while one follower was slow");
        }
    }

    private static string Describe(ProcessMemory memory) => $"{memory.Anonymous >> 20} MiB ({memory.Resident >> 20} MiB with files)";

    /// <summary>Looks at the leader's memory, and at the acks of the usual load, until the extra load is over.</summary>
    private static async Task<(ProcessMemory Most, TimeSpan Stall)> SampleAsync(
        FaultRound round, ChaosNode leader, BulkLoad load, Task sending, CancellationToken cancellationToken)
    {
        var (most, stall, acked) = (default(ProcessMemory), TimeSpan.Zero, round.Recorder.Acked);
        var begin = load.AckedBytes;
        var quiet = Stopwatch.StartNew();
        while (!sending.IsCompleted)
        {
            var now = ProcessMemory.Of(leader.ProcessId);
            most = new ProcessMemory(Math.Max(most.Resident, now.Resident), Math.Max(most.Anonymous, now.Anonymous));
            if (load.AckedBytes - begin < LoadBytes / 2)
            {
                round.Proof["leaderHalfway"] = Describe(most);
            }

            stall = quiet.Elapsed > stall ? quiet.Elapsed : stall;
            if (round.Recorder.Acked != acked)
            {
                acked = round.Recorder.Acked;
                quiet.Restart();
            }

            await Wait.ForAsync(SampleStep, cancellationToken);
        }

        return (most, stall);
    }

    private void Cap(NodeNetwork network, IEnumerable<int> ports)
    {
        foreach (var port in ports.Where(port => port != _follower!.Id))
        {
            network.Switch.Set(port, _follower!.Id, new LinkRule { Shaper = _in });
            network.Switch.Set(_follower.Id, port, new LinkRule { Shaper = _out });
        }
    }
}
