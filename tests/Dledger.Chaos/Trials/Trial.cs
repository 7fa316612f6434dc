using System.Diagnostics;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Histories;
using Dledger.Chaos.Machines;
using Dledger.Chaos.Workers;

namespace Dledger.Chaos.Trials;

/// <summary>Nodes with a log of many bytes, for one measurement. Removes everything behind it.</summary>
internal sealed class Trial : IAsyncDisposable
{
    private const long Mebibyte = 1 << 20;

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StallMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private readonly Undertaker _undertaker;
    private readonly HistoryRecorder _recorder;
    private readonly TextWriter _progress;

    private Trial(Undertaker undertaker, HistoryRecorder recorder, ChaosCluster cluster, TextWriter progress)
    {
        _undertaker = undertaker;
        _recorder = recorder;
        _progress = progress;
        Cluster = cluster;
        Load = new BulkLoad(cluster.Nodes);
    }

    public ChaosCluster Cluster { get; }

    public BulkLoad Load { get; }

    /// <summary>Starts the nodes and creates the topic of the load.</summary>
    /// <exception cref="ChaosException">They do not come up, or the disk is too small.</exception>
    public static async Task<Trial> StartAsync(ChaosOptions options, long diskBytes, CancellationToken cancellationToken)
    {
        var free = new DriveInfo(Path.GetTempPath()).AvailableFreeSpace;
        if (free < diskBytes)
        {
            throw new ChaosException(
                $"{Path.GetTempPath()} has {free / Mebibyte} MiB free, and {diskBytes / Mebibyte} MiB are needed");
        }

        Directory.CreateDirectory(options.OutputDirectory);
        var undertaker = Undertaker.Start();
        var recorder = new HistoryRecorder(new HistoryHeader(), file: null);
        var cluster = await ChaosCluster.CreateAsync(options, recorder, undertaker);
        var trial = new Trial(undertaker, recorder, cluster, options.Progress);
        try
        {
            foreach (var node in cluster.Nodes)
            {
                node.Start();
            }

            if (!await Wait.UntilAsync(StartPatience, cluster.IsWholeAsync, cancellationToken))
            {
                throw new ChaosException($"the nodes did not come up:\n{cluster.Nodes[0].LogTail(20)}");
            }

            await trial.Load.PrepareAsync(cancellationToken);
            return trial;
        }
        catch (Exception)
        {
            await trial.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes bodies of so many bytes; how long it took.</summary>
    /// <exception cref="ChaosException">Nothing was acked for a minute.</exception>
    public async Task<TimeSpan> FillAsync(long bytes, CancellationToken cancellationToken)
    {
        _progress.WriteLine($"writing {bytes / Mebibyte} MiB in messages of {BulkLoad.BodyBytes} bytes");
        var watch = Stopwatch.StartNew();
        return await Load.SendAsync(bytes, StallMax, cancellationToken)
            ? watch.Elapsed
            : throw new ChaosException($"only {Load.AckedBytes / Mebibyte} MiB were acked, then nothing for {StallMax.TotalSeconds} s");
    }

    /// <summary>How long it takes until something is so.</summary>
    /// <exception cref="ChaosException">It is not within the patience.</exception>
    public static async Task<TimeSpan> TimeAsync(
        string what, TimeSpan patience, Func<Task<bool>> probe, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        return await Wait.UntilAsync(patience, probe, cancellationToken, Step)
            ? watch.Elapsed
            : throw new ChaosException($"{what}: not within {patience.TotalSeconds} s");
    }

    public async ValueTask DisposeAsync()
    {
        Load.Dispose();
        await Cluster.DisposeAsync();
        _recorder.Dispose();
        await _undertaker.DisposeAsync();
    }
}
