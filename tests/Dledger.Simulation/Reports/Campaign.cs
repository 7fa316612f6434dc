using Dledger.Raft;
using Dledger.Simulation.Scenarios;

namespace Dledger.Simulation.Reports;

/// <summary>What became of one seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Failure">Why it failed; null when all invariants held.</param>
/// <param name="Hash">Equal for equal runs.</param>
internal sealed record RunResult(ulong Seed, Exception? Failure, ulong Hash);

/// <summary>Runs many seeds and adds up what they evaluated and reached.</summary>
internal sealed class Campaign(SeededDefect defect = SeededDefect.None, IReadOnlySet<string>? only = null)
{
    private readonly SortedDictionary<string, long> _evaluations = new(StringComparer.Ordinal);

    public Marks Marks { get; } = new();

    public IReadOnlyDictionary<string, long> Evaluations => _evaluations;

    public long EventCount { get; private set; }

    public long RunCount { get; private set; }

    public long AcknowledgedCount { get; private set; }

    /// <summary>Simulated microseconds.</summary>
    public long SimulatedTime { get; private set; }

    public RunResult Run(ulong seed, TextWriter? trace = null)
    {
        var cluster = new SimulatedCluster(seed, Scenario.Draw(seed, defect), trace, only);
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

        RunCount++;
        EventCount += cluster.Events.Count;
        SimulatedTime += cluster.Events.Now;
        AcknowledgedCount += cluster.Clients.AcknowledgedCount;
        Marks.Add(cluster.Marks);
        foreach (var (name, count) in cluster.Checks.Counts)
        {
            _evaluations[name] = _evaluations.GetValueOrDefault(name) + count;
        }

        return new RunResult(seed, failure, cluster.Trace.Hash);
    }
}
