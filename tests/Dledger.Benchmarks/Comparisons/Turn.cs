using Dledger.Bench.Machines;
using Dledger.Bench.Running;
using Dledger.Bench.Targets;
using Dledger.Bench.Workloads;
using Dledger.Benchmarks.Servers;
using Dledger.Chaos.Machines;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>One system alone on the machine: started, warmed up, measured in all rows, and ended with all that it has stored.</summary>
internal sealed class Turn(Contestant contestant, int round, ComparisonOptions options, IBenchClock clock, Undertaker undertaker)
{
    // What a full turn of the fastest system may write, three copies, before old segments go; with room to spare.
    private const long FreeBytesMin = 40L << 30;
    private const int ProbeCount = 100;

    private static readonly TimeSpan RowPatience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan ProbePatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(5);

    private readonly List<Measurement> _measurements = [];
    private readonly List<Absence> _absences = [];
    private double _bestRate;

    public IReadOnlyList<Measurement> Measurements => _measurements;

    public IReadOnlyList<Absence> Absences => _absences;

    /// <summary>Null when it was not asked for or could not be had.</summary>
    public SyncEvidence? Syncs { get; private set; }

    /// <summary>Runs all rows. What fails is an absence; only the end of the run is thrown.</summary>
    /// <param name="rows">In this order.</param>
    /// <param name="probes">Also counts syncs.</param>
    /// <param name="progress">A line for each thing done.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    public async Task RunAsync(IReadOnlyList<ContestRow> rows, bool probes, TextWriter progress, CancellationToken cancellationToken)
    {
        var free = new DriveInfo(undertaker.Directory).AvailableFreeSpace;
        if (free < FreeBytesMin)
        {
            Miss(null, $"{free >> 30} GiB of disk are free, {FreeBytesMin >> 30} are needed");
            return;
        }

        IServerCluster? cluster = null;
        IBenchTarget? target = null;
        try
        {
            (cluster, target) = await ContestantStart.RunAsync(contestant, progress, cancellationToken);
            await MeasureIdleAsync(cluster, cancellationToken);
            foreach (var row in rows.Where(row => (row.Workload.Needs & ~target.Abilities) == BenchAbilities.None))
            {
                await TryAsync(
                    row.Key,
                    cluster,
                    target,
                    RowTime(row),
                    token => MeasureAsync(row, cluster, target, progress, token),
                    cancellationToken);
            }

            if (probes)
            {
                await TryAsync("syncs", cluster, target, ProbePatience, token => ProbeAsync(cluster, target, token), cancellationToken);
            }
        }
        catch (ServerException exception)
        {
            Miss(null, exception.Message);
        }
        finally
        {
            await EndAsync(cluster, target);
        }

        foreach (var absence in _absences)
        {
            await progress.WriteLineAsync($"  {contestant.Title}: {absence.Row ?? "nothing measured"}: {absence.Reason}");
        }
    }

    private async Task MeasureIdleAsync(IServerCluster cluster, CancellationToken cancellationToken)
    {
        int[] nodes = [.. cluster.Nodes.Select(node => node.Id)];
        await Wait.ForAsync(IdleTime, cancellationToken);
        var neighbours = NeighbourLoad.Start(nodes);
        var before = NodeUsage.Sample(nodes);
        var begin = clock.Now;
        await Wait.ForAsync(IdleTime, cancellationToken);
        var used = NodeUsage.Sample(nodes).Since(before);
        var (others, stolen) = neighbours.Cores();
        StartUp.AssertRunning(cluster);
        _measurements.Add(new Measurement
        {
            System = contestant.Key,
            Row = RatioTable.IdleRow,
            Round = round,
            CpuSecondsPerSecond = used.CpuSeconds / ((clock.Now - begin) / 1e9),
            MemoryBytes = used.MemoryBytesMax,
            OtherCores = others,
            StolenCores = stolen,
            IsDisturbed = others > NeighbourLoad.CoresMax,
        });
    }

    private async Task MeasureAsync(
        ContestRow row, IServerCluster cluster, IBenchTarget target, TextWriter progress, CancellationToken cancellationToken)
    {
        PhaseResult phase;
        await using (var run = new WorkloadRun(
            new BenchRun(clock), target, row.WorkloadOptions(options, _bestRate), [.. cluster.Nodes.Select(node => node.Id)]))
        {
            await row.Workload.RunAsync(run, cancellationToken);
            phase = run.Phases[^1];
        }

        await target.DestroyAsync(cancellationToken);
        StartUp.AssertRunning(cluster);
        var measurement = MeasurementOf(row, phase);
        _measurements.Add(measurement);
        if (row.Workload is ProduceWorkload)
        {
            _bestRate = Math.Max(_bestRate, measurement.MessagesPerSecond ?? 0);
        }

        await progress.WriteLineAsync(TextReport.Progress(contestant.Title, row.Title, measurement));
    }

    private Measurement MeasurementOf(ContestRow row, PhaseResult phase)
    {
        var load = phase.Loads[row.Load];
        var failures = phase.Loads.SelectMany(one => one.Errors).ToArray();
        return new Measurement
        {
            System = contestant.Key,
            Row = row.Key,
            Round = round,
            MessagesPerSecond = load.MessagesPerSecond,
            P50 = load.Latency.P50,
            P99 = load.Latency.P99,
            P999 = load.Latency.P999,
            Failures = failures.Sum(failure => failure.Value.Count),
            FirstFailure = failures.Length == 0 ? null : $"{failures[0].Key}: {failures[0].Value.First}",
            // Each message once: where it is sent and received in one phase both belong to its cost.
            CpuSecondsPerMillion = phase.Nodes is { } nodes && load.Messages > 0 ? nodes.CpuSeconds / load.Messages * 1e6 : null,
            MemoryBytes = phase.Nodes?.MemoryBytesMax,
            OtherCores = phase.OtherCores,
            StolenCores = phase.StolenCores,
            IsDisturbed = phase.IsDisturbed,
        };
    }

    private async Task ProbeAsync(IServerCluster cluster, IBenchTarget target, CancellationToken cancellationToken)
    {
        await target.PrepareAsync(new BenchLayout(1, 0), cancellationToken);
        await using (var producer = await target.OpenProducerAsync(cancellationToken))
        {
            ReadOnlyMemory<byte>[] body = [new byte[options.BodyBytes]];
            await using var trace = await SyncTrace.AttachAsync(cluster, undertaker, cancellationToken);
            for (var i = 0; i < ProbeCount; i++)
            {
                await producer.SendAsync(0, body, cancellationToken);
            }

            Syncs = new SyncEvidence(contestant.Key, ProbeCount, await trace.EndAsync());
        }

        await target.DestroyAsync(cancellationToken);
    }

    private TimeSpan RowTime(ContestRow row) =>
        (options.WarmUp + options.Duration) * (row.IsFilled ? 4 : 1) + RowPatience;

    private async Task TryAsync(
        string row,
        IServerCluster cluster,
        IBenchTarget target,
        TimeSpan patience,
        Func<CancellationToken, Task> act,
        CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        try
        {
            // A client may wait for a node that has ended without looking at the token.
            await act(limit.Token).WaitAsync(patience + RowPatience, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            var isLate = exception is TimeoutException || (exception is OperationCanceledException && limit.IsCancellationRequested);
            Miss(row, isLate ? $"not over within {patience.TotalSeconds:0} s" : $"{exception.GetType().Name}: {exception.Message}");
            await CleanAsync(cluster, target, cancellationToken);
        }
    }

    // The next row begins with a topic of its own, as after a row that went well.
    private async Task CleanAsync(IServerCluster cluster, IBenchTarget target, CancellationToken cancellationToken)
    {
        StartUp.AssertRunning(cluster);
        try
        {
            await target.DestroyAsync(cancellationToken).WaitAsync(ProbePatience, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ServerException($"a topic cannot be deleted: {exception.Message}", exception);
        }
    }

    private void Miss(string? row, string reason) => _absences.Add(new Absence(contestant.Key, row, round, reason));

    private async Task EndAsync(IServerCluster? cluster, IBenchTarget? target)
    {
        try
        {
            if (target is not null)
            {
                await target.DisposeAsync().AsTask().WaitAsync(ProbePatience);
            }
        }
        catch (Exception exception)
        {
            Miss("close", $"{exception.GetType().Name}: {exception.Message}");
        }
        finally
        {
            if (cluster is not null)
            {
                await cluster.DisposeAsync();
            }
        }
    }
}
