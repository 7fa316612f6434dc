using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;
using Dledger.Chaos.Reports;
using Dledger.Chaos.Workers;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Trials;

/// <summary>What clients notice while a follower fetches many bytes that it missed; then how long an empty node takes to
/// become a voter of a cluster whose log does not begin at 0 any more.</summary>
internal static class CatchUpTrial
{
    private const int ProbeRate = 200;
    private const double SlowdownMax = 2;
    private const long TrimmedFillBytes = 256L << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan RetentionPatience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(15);

    private static readonly Dictionary<string, string> SmallRetention =
        new() { ["segmentSize"] = "16MiB", ["retentionSize"] = "64MiB" };

    public static async Task<TrialTable> RunAsync(ChaosOptions options, long bytes, CancellationToken cancellationToken)
    {
        var table = new TrialTable();
        table.Add($"produce, {ProbeRate} a second, 1 KiB each", "p50 / p99 / max, ms");
        await using (var trial = await Trial.StartAsync(options, (bytes * options.NodeCount * 5 / 4) + (2L << 30), cancellationToken))
        {
            await CatchUpAsync(trial, bytes, table, options.Progress, cancellationToken);
        }

        var trimmed = options with { Storage = SmallRetention };
        await using (var trial = await Trial.StartAsync(trimmed, (TrimmedFillBytes * options.NodeCount) + (2L << 30), cancellationToken))
        {
            await JoinAsync(trial, table, options.Progress, cancellationToken);
        }

        return table;
    }

    private static async Task CatchUpAsync(
        Trial trial, long bytes, TrialTable table, TextWriter progress, CancellationToken cancellationToken)
    {
        var cluster = trial.Cluster;
        var leader = await cluster.FindLeaderAsync() ?? throw new ChaosException("there is no leader");
        var follower = cluster.Nodes.First(node => node != leader);
        await using (var probe = new ProbeLoad(leader, BulkLoad.TopicName, ProbeRate))
        {
            table.Add("  all nodes up", (await SteadyAsync(probe, cancellationToken)).ToString());
        }

        await follower.StopAsync(Patience);
        var filled = await trial.FillAsync(bytes, cancellationToken);
        table.Add("written while one follower was down, MiB", $"{bytes >> 20}");
        table.Add("written with, MiB/s", $"{bytes / (1 << 20) / filled.TotalSeconds:0}");
        await using (var probe = new ProbeLoad(leader, BulkLoad.TopicName, ProbeRate))
        {
            var before = await SteadyAsync(probe, cancellationToken);
            table.Add("  one follower down", before.ToString());
            progress.WriteLine($"the follower comes back, {bytes >> 20} MiB behind");
            follower.Start();
            var taken = await Trial.TimeAsync("catching up", Patience, cluster.IsWholeAsync, cancellationToken);
            var during = probe.Take();
            table.Add("  while it catches up", during.ToString());
            table.Add("  after it has caught up", (await SteadyAsync(probe, cancellationToken)).ToString());
            table.Add("catching up took", $"{taken.TotalSeconds:0.0} s");
            table.Add("catching up with, MiB/s", $"{bytes / (1 << 20) / taken.TotalSeconds:0}");
            var slowdown = during.P99 / Math.Max(0.1, before.P99);
            table.Add(
                $"p99 while it catches up, of {during.Count} calls", $"{slowdown:0.00} times",
                $"below {SlowdownMax} times", slowdown < SlowdownMax && during.Failed == 0);
        }
    }

    private static async Task JoinAsync(
        Trial trial, TrialTable table, TextWriter progress, CancellationToken cancellationToken)
    {
        var cluster = trial.Cluster;
        await trial.FillAsync(TrimmedFillBytes, cancellationToken);
        var start = 0L;
        await Trial.TimeAsync(
            "the start of the log moves", RetentionPatience,
            async () => (start = await trial.Load.StartAsync(cancellationToken)) > 0, cancellationToken);
        table.Add("oldest message that is still there, by queue offset", $"{start}");
        progress.WriteLine("an empty node joins");
        using var members = new MemberOperator(cluster);
        cluster.Spare.Start();
        var taken = await Trial.TimeAsync(
            "the empty node becomes a voter", Patience,
            () => members.AddAsync(cluster.Spare, cancellationToken), cancellationToken);
        table.Add("an empty fourth node is a voter after", $"{taken.TotalSeconds:0.0} s");
        var status = await cluster.AskLeaderAboutAsync(cluster.Spare);
        table.Add(
            "its part and state", $"{status?.MemberRole}, {status?.State}",
            "MemberVoter, ok", status is { MemberRole: MemberRole.MemberVoter, State: "ok" });
    }

    private static async Task<LatencyFigures> SteadyAsync(ProbeLoad probe, CancellationToken cancellationToken)
    {
        await Wait.ForAsync(Settling, cancellationToken);
        _ = probe.Take();
        await Wait.ForAsync(Steady, cancellationToken);
        return probe.Take();
    }
}
