using System.Diagnostics;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;
using Dledger.Chaos.Workers;

namespace Dledger.Chaos.Faults;

/// <summary>F27: for some seconds ten times as many messages come as usual. Refusing some is allowed; growing without end is
/// not, and twice the time of the storm later the usual load must get through as before.</summary>
internal sealed class StormFault : IFault
{
    private const int Times = 10;
    private const double RecoveredPart = 0.9;

    // Proposals that wait, frames that are not committed, and the newest frames, 64 MiB each, and a margin of as much.
    private const long GrowthMax = 256L << 20;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SampleStep = TimeSpan.FromMilliseconds(100);

    private int _sent;
    private double _usual;
    private TimeSpan _length;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        round.All();
        using (var topic = new BulkLoad(round.Cluster.Nodes))
        {
            await topic.PrepareAsync(cancellationToken);
        }

        _usual = await RateAsync(round, cancellationToken);
        var nodes = round.Cluster.Nodes;
        var before = nodes.ToDictionary(node => node, node => (node.Life, ProcessMemory.Of(node.ProcessId).Anonymous));
        _length = TimeSpan.FromSeconds(3 + (3 * round.Random.NextDouble()));
        var growth = await BlowAsync(nodes, before, round, cancellationToken);
        round.Proof["usualPerSecond"] = (int)_usual;
        round.Proof["grownMiB"] = growth >> 20;
        if (growth > GrowthMax)
        {
            round.Surprises.Add($"a node grew by {growth >> 20} MiB in a storm of {_length.TotalSeconds:0.0} s");
        }

        await CheckRecoveryAsync(round, cancellationToken);
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var perSecond = _sent / _length.TotalSeconds;
        round.Proof["stormPerSecond"] = (int)perSecond;
        return Task.FromResult(perSecond > 2 * _usual);
    }

    public Task HealAsync(FaultRound round) => Task.CompletedTask;

    private static async Task<double> RateAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var (acked, watch) = (round.Recorder.Acked, Stopwatch.StartNew());
        await Wait.ForAsync(Window, cancellationToken);
        return (round.Recorder.Acked - acked) / watch.Elapsed.TotalSeconds;
    }

    /// <summary>The storm itself; by how much the node grew that grew most.</summary>
    private async Task<long> BlowAsync(
        IReadOnlyList<ChaosNode> nodes,
        Dictionary<ChaosNode, (int Life, long Bytes)> before,
        FaultRound round,
        CancellationToken cancellationToken)
    {
        var loads = nodes.Select(
            node => new ProbeLoad(node, BulkLoad.TopicName, (int)(Times * _usual / nodes.Count) + 1)).ToArray();
        var (growth, watch) = (0L, Stopwatch.StartNew());
        while (watch.Elapsed < _length)
        {
            await Wait.ForAsync(SampleStep, cancellationToken);
            growth = nodes.Where(node => node.Life == before[node].Life)
                .Select(node => ProcessMemory.Of(node.ProcessId).Anonymous - before[node].Bytes).Append(growth).Max();
        }

        foreach (var load in loads)
        {
            await load.DisposeAsync();
        }

        var figures = loads.Select(load => load.Take()).ToArray();
        _sent = figures.Sum(figure => figure.Count);
        round.Proof["refused"] = figures.Sum(figure => figure.Failed);
        round.Proof["longestMs"] = (int)figures.Max(figure => figure.Max);
        return growth;
    }

    private async Task CheckRecoveryAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        double rate;
        do
        {
            rate = await RateAsync(round, cancellationToken);
        }
        while (rate < RecoveredPart * _usual && watch.Elapsed < 2 * _length);

        round.Proof["recoveredAfterMs"] = watch.ElapsedMilliseconds;
        if (rate < RecoveredPart * _usual)
        {
            round.Surprises.Add(
                $"{watch.Elapsed.TotalSeconds:0.0} s after a storm of {_length.TotalSeconds:0.0} s {rate:0} messages a second were "
                + $"acked, {_usual:0} before");
        }
    }
}
