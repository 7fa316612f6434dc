using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;
using Dledger.Chaos.Workers;

namespace Dledger.Chaos.Trials;

/// <summary>How late delayed messages are when many are due within one minute; then what many that wait for long cost: memory on every
/// node, and the time to start again.</summary>
internal static class TimerTrial
{
    /// <summary>Bytes of a delayed message of the load on a disk, with what is copied and indexed.</summary>
    private const long BytesOfOne = 800;

    private const double LatenessMax = 100;
    private const long MemoryMax = 600L << 20;

    // Slower than any machine that is worth measuring; what is due earlier than it is sent would be late by the sender's fault.
    private const int SendsPerSecondMin = 8_000;

    // Timestamps of the wire drop the fraction of a millisecond.
    private const double Rounding = 1;

    private static readonly TimeSpan Span = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Far = TimeSpan.FromDays(300);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);

    public static async Task<TrialTable> RunAsync(
        ChaosOptions options, long count, long pending, CancellationToken cancellationToken)
    {
        var table = new TrialTable();
        var disk = ((count + pending) * options.NodeCount * BytesOfOne) + (2L << 30);
        await using var trial = await Trial.StartAsync(options, disk, cancellationToken);
        var leader = await trial.Cluster.FindLeaderAsync() ?? throw new ChaosException("there is no leader");
        using var load = new DelayedLoad(leader);
        await load.PrepareAsync(cancellationToken);
        await FireAsync(leader, load, count, table, options.Progress, cancellationToken);
        await WaitAsync(trial, load, pending, table, options.Progress, cancellationToken);
        return table;
    }

    private static async Task FireAsync(
        ChaosNode leader, DelayedLoad load, long count, TrialTable table, TextWriter progress, CancellationToken cancellationToken)
    {
        var start = DateTime.UtcNow + TimeSpan.FromSeconds(5 + (count / SendsPerSecondMin));
        progress.WriteLine($"sending {count} messages that are due within one minute, from {start:HH:mm:ss} UTC on");
        var sent = await load.SendAsync(count, start, Span, cancellationToken);
        table.Add("delayed messages due within one minute", $"{count}");
        table.Add("sent with, a second", $"{count / sent.TotalSeconds:0}");
        if (DateTime.UtcNow > start)
        {
            throw new ChaosException($"sending took {sent.TotalSeconds:0} s, so the first were sent late: ask for fewer with --count");
        }

        using var reader = new LatenessReader(leader);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(start + Span + Patience - DateTime.UtcNow);
        try
        {
            await reader.ReadAsync(count, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The table says what is missing.
        }

        table.Add("came", $"{reader.Count}", $"{count}, each once", reader.Count == count && reader.Repeated == 0);
        table.Add("earliest, ms after it was due", $"{reader.Earliest:0}", "none early", reader.Earliest >= -Rounding);
        var stored = reader.Stored;
        table.Add("in their queues after, p50 / p99 / max, ms", $"{stored}");
        table.Add("  p99 of it", $"{stored.P99:0} ms", $"at most {LatenessMax:0} ms", stored.P99 <= LatenessMax);
        table.Add("with one reader after, p50 / p99 / max, ms", $"{reader.Received}");
    }

    private static async Task WaitAsync(
        Trial trial, DelayedLoad load, long pending, TrialTable table, TextWriter progress, CancellationToken cancellationToken)
    {
        progress.WriteLine($"sending {pending} messages that wait for days");
        var sent = await load.SendAsync(pending, DateTime.UtcNow + TimeSpan.FromDays(1), Far, cancellationToken);
        table.Add("messages that wait", $"{pending}");
        table.Add("sent with, a second", $"{pending / sent.TotalSeconds:0}");
        await Trial.TimeAsync("every node has everything", Patience, trial.Cluster.IsWholeAsync, cancellationToken);
        await Wait.ForAsync(Settling, cancellationToken);
        AddMemory(trial, "with them", table);
        var leader = await trial.Cluster.FindLeaderAsync() ?? throw new ChaosException("there is no leader to kill");
        await leader.KillAsync();
        leader.Start();
        var answers = await Trial.TimeAsync(
            "the killed node answers", Patience, async () => await trial.Cluster.AskAsync(leader) is not null, cancellationToken);
        var whole = await Trial.TimeAsync("it has everything", Patience, trial.Cluster.IsWholeAsync, cancellationToken);
        table.Add("the leader killed: answers again after", $"{answers.TotalSeconds:0.00} s");
        table.Add("  everybody has everything after", $"{(answers + whole).TotalSeconds:0.00} s");
        await Wait.ForAsync(Settling, cancellationToken);
        AddMemory(trial, "after the restart", table);
    }

    private static void AddMemory(Trial trial, string when, TrialTable table)
    {
        foreach (var node in trial.Cluster.Nodes)
        {
            var memory = ProcessMemory.Of(node.ProcessId);
            table.Add(
                $"node {node.Id} {when}: heaps and stacks / all, MiB",
                $"{memory.Anonymous >> 20} / {memory.Resident >> 20}",
                $"heaps at most {MemoryMax >> 20}",
                memory.Anonymous <= MemoryMax);
        }
    }
}
