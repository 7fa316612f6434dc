using Dledger.ClusterSimulation.Mutations;
using Dledger.ClusterSimulation.Scenarios;

namespace Dledger.ClusterSimulation.Reports;

/// <summary>What became of one seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Failure">Why it failed; null when all invariants held.</param>
/// <param name="Hash">Equal for equal runs.</param>
internal sealed record RunResult(ulong Seed, Exception? Failure, ulong Hash);

/// <summary>Runs seeds, on one thread or several, and adds up what they evaluated and reached.</summary>
internal sealed class Campaign(Mutation mutation = Mutation.None)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, long> _evaluations = new(StringComparer.Ordinal);
    private readonly long[] _featureRuns = new long[Features.Count];

    public Marks Marks { get; } = new();

    public IReadOnlyDictionary<string, long> Evaluations => _evaluations;

    public long RunCount { get; private set; }

    public long EventCount { get; private set; }

    /// <summary>Messages that were acknowledged.</summary>
    public long AckedCount { get; private set; }

    /// <summary>Simulated microseconds.</summary>
    public long SimulatedTime { get; private set; }

    /// <summary>Runs that had a feature.</summary>
    public long RunCountOf(int feature) => _featureRuns[feature];

    public RunResult Run(ulong seed, TextWriter? trace = null)
    {
        var cluster = new SimulatedCluster(seed, Scenario.Draw(seed, mutation), trace);
        Exception? failure = null;
        try
        {
            cluster.Run();
        }
        catch (SimulationFailure found)
        {
            failure = found;
        }
        catch (Exception crashed)
        {
            failure = new SimulationFailure("crash", crashed.ToString());
        }

        lock (_lock)
        {
            RunCount++;
            EventCount += cluster.Events.Count;
            SimulatedTime += cluster.Events.Now;
            AckedCount += cluster.Producing.AckedCount;
            Marks.Add(cluster.Marks);
            foreach (var feature in Features.Of(cluster))
            {
                _featureRuns[feature]++;
            }

            foreach (var (name, count) in cluster.Checks.Counts)
            {
                _evaluations[name] = _evaluations.GetValueOrDefault(name) + count;
            }
        }

        return new RunResult(seed, failure, cluster.Trace.Hash);
    }
}
