namespace Dledger.ClusterSimulation.Scenarios;

/// <summary>What a run may have beside plain producers and consumers, by name: so that a campaign can say how often each was tried.</summary>
internal static class Features
{
    private static readonly (string Name, Func<SimulatedCluster, bool> IsIn)[] All =
    [
        ("message groups", run => run.Order is not null),
        ("delayed messages", run => run.Scenario.HasTimers),
        ("transactions", run => run.Scenario.HasTransactions),
        ("dead letters sent again", run => run.Letters is not null),
        ("filters", run => run.Filters is not null),
        ("seeks and reads by offset", run => run.Scenario.HasSeeks),
        ("broadcast", run => run.Broadcast is not null),
        ("replay", run => run.Replay is not null),
        ("numbered producers", run => run.Scenario.HasNumbers),
        ("message id window", run => run.Scenario.HasIdWindow),
        ("processed keys", run => run.Keyed is not null),
        ("at most once", run => run.Scenario.Modes?.IsAtMostOnce == true),
        ("exclusive groups", run => run.Scenario.Modes?.IsExclusive == true),
        ("pauses of a group", run => run.Scenario.Modes?.HasPauses == true),
        ("messages with a time to live", run => run.Scenario.Modes?.HasLifetimes == true),
        ("caps of what is in flight", run => run.Scenario.Modes?.HasCaps == true),
        ("routes", run => run.Routes is not null),
        ("priorities", run => run.Priorities is not null),
        ("lite topics", run => run.Lites is not null),
        ("key index", run => run.Scenario.HasKeyIndex),
        ("quotas", run => run.Quotas is not null),
        ("streams", run => run.Streams is not null),
    ];

    public static int Count => All.Length;

    public static string NameOf(int feature) => All[feature].Name;

    /// <summary>The numbers of those that a run has, known before it begins.</summary>
    public static IReadOnlyList<int> Of(SimulatedCluster run) =>
        [.. Enumerable.Range(0, All.Length).Where(feature => All[feature].IsIn(run))];

    /// <summary>
    /// Seeds from <paramref name="start"/> on by which each feature is in at least <paramref name="each"/> runs. A seed is taken when it
    /// has the feature that is behind most: so the common ones do not fill the campaign.
    /// </summary>
    public static IReadOnlyList<ulong> Plan(ulong start, int each)
    {
        var counts = new int[Count];
        var seeds = new List<ulong>();
        for (var seed = start; counts.Min() < each; seed++)
        {
            var features = Of(new SimulatedCluster(seed, Scenario.Draw(seed), null));
            var least = counts.Min();
            if (!features.Any(feature => counts[feature] == least))
            {
                continue;
            }

            seeds.Add(seed);
            foreach (var feature in features)
            {
                counts[feature]++;
            }
        }

        return seeds;
    }
}
