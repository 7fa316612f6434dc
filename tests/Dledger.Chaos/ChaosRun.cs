using System.Diagnostics;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Faults;
using Dledger.Chaos.Histories;
using Dledger.Chaos.Machines;
using Dledger.Chaos.Reports;
using Dledger.Chaos.Schedules;
using Dledger.Chaos.Workers;

namespace Dledger.Chaos;

/// <summary>One run: nodes up, load on, faults, heal, drain, read everything back, check, report.</summary>
internal sealed class ChaosRun
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WholePatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(4);

    private readonly ChaosOptions _options;
    private readonly HistoryRecorder _recorder;
    private readonly Undertaker _undertaker;
    private readonly ChaosCluster _cluster;
    private readonly Workload _workload;

    private ChaosRun(ChaosOptions options, HistoryRecorder recorder, Undertaker undertaker, ChaosCluster cluster)
    {
        _options = options;
        _recorder = recorder;
        _undertaker = undertaker;
        _cluster = cluster;
        _workload = new Workload(cluster, recorder, options.Seed);
    }

    /// <summary>Runs it to the end; whatever happens, nothing of it is left on the machine but the output directory.</summary>
    /// <exception cref="ChaosException">The run could not be made; that says nothing of the nodes.</exception>
    public static async Task<ChaosReport> ExecuteAsync(ChaosOptions options, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(options.OutputDirectory);
        var file = Path.Combine(options.OutputDirectory, "history.jsonl");
        await using var undertaker = Undertaker.Start();
        using var recorder = new HistoryRecorder(HeaderOf(options), file);
        await using var cluster = await ChaosCluster.CreateAsync(options, recorder, undertaker);
        var run = new ChaosRun(options, recorder, undertaker, cluster);
        await run.RunAsync(cancellationToken);
        var report = ReportBuilder.Build(recorder.Snapshot(), options);
        await report.WriteAsync(Path.Combine(options.OutputDirectory, "report.json"));
        return report;
    }

    private static HistoryHeader HeaderOf(ChaosOptions options) => new()
    {
        Run = Path.GetFileName(options.OutputDirectory),
        Seed = options.Seed,
        Nodes = [.. Enumerable.Range(1, options.NodeCount)],
        Mode = options.FlushMode,
        Groups = Workload.Groups,
        Topic = Workload.Topic,
        Queues = Workload.QueueCount,
        OperationLimit = (long)(Workload.OperationTimeMax.TotalSeconds * 1e9),
        HealLimit = (long)(options.HealTimeMax.TotalSeconds * 1e9),
        AckedMin = options.AckedMin,
        ExpectsLeaderChange = options.Faults.Any(fault => fault.MovesLeader),
        WallClock = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
    };

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var node in _cluster.Nodes)
        {
            node.Start();
        }

        if (!await Wait.UntilAsync(StartPatience, _cluster.IsWholeAsync, cancellationToken))
        {
            throw new ChaosException($"the nodes did not come up:\n{_cluster.Nodes[0].LogTail(20)}");
        }

        foreach (var (kind, reason) in _options.NotRun)
        {
            _recorder.Record(new HistoryEntry { Function = "fault", Kind = kind, Phase = "notRun", Error = reason });
        }

        await using var workers = new WorkerCrew(_workload, _options.Rate);
        await workers.StartAsync(cancellationToken);
        await Wait.ForAsync(WarmUp, cancellationToken);
        await InjectAsync(cancellationToken);
        _options.Progress.WriteLine("draining");
        if (!await workers.DrainAsync(cancellationToken))
        {
            _options.Progress.WriteLine("the groups did not finish in time");
        }

        await FinalRead.RunAsync(_workload, _options.Progress, cancellationToken);
    }

    private async Task InjectAsync(CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var number = 0;
        foreach (var planned in FaultPlan.Of(_options))
        {
            if (_options.Rounds > 0 ? number >= _options.Rounds : watch.Elapsed >= _options.Duration)
            {
                return;
            }

            number++;
            _options.Progress.WriteLine($"[{watch.Elapsed:mm\\:ss}] {number}: {planned.Kind.Name}");
            await InjectAsync(planned, cancellationToken);
            await Wait.ForAsync(planned.Rest, cancellationToken);
        }
    }

    private async Task InjectAsync(PlannedFault planned, CancellationToken cancellationToken)
    {
        var round = new FaultRound(_workload, _undertaker, new Random(planned.Seed));
        var fault = planned.Kind.Create();
        var entry = new HistoryEntry { Function = "fault", Kind = planned.Kind.Name };
        _recorder.Record(entry with { Phase = "start" });
        var bit = false;
        try
        {
            await fault.StartAsync(round, cancellationToken);
            await Wait.ForAsync(planned.Hold, cancellationToken);
            bit = await fault.ProveAsync(round, cancellationToken);
        }
        catch (Exception exception) when (exception is ChaosException or IOException or TimeoutException)
        {
            round.Proof["failure"] = exception.Message;
        }
        finally
        {
            await fault.HealAsync(round);
        }

        _recorder.Record(entry with { Phase = "heal", On = round.On, Proof = round.Proof, Bit = bit });
        if (!await Wait.UntilAsync(WholePatience, _cluster.IsWholeAsync, cancellationToken))
        {
            round.Surprises.Add($"the cluster was not whole again within {WholePatience.TotalSeconds:0} s");
        }

        foreach (var node in _cluster.Everyone)
        {
            round.Surprises.AddRange(node.Surprises);
            node.Surprises.Clear();
            if (!node.IsRunning && node != _cluster.Spare)
            {
                node.Start();
            }
        }

        _recorder.Record(entry with
        {
            Phase = "end",
            On = round.On,
            Error = round.Surprises.Count > 0 ? string.Join("; ", round.Surprises) : null,
        });
        _options.Progress.WriteLine($"        on {string.Join(',', round.On)}, {(bit ? "bit" : "DID NOT BITE")}, {round.Proof.ToJsonString()}"
            + string.Concat(round.Surprises.Select(surprise => $"\n        SURPRISE: {surprise}")));
    }
}
