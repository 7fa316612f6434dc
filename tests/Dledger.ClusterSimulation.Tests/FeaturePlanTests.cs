using Dledger.ClusterSimulation.Scenarios;

namespace Dledger.ClusterSimulation.Tests;

public sealed class FeaturePlanTests
{
    [Fact]
    public void A_plan_has_each_feature_often_enough_and_few_runs_that_bring_nothing_rare()
    {
        const int Each = 20;

        var seeds = Features.Plan(1_000, Each);

        var counts = new int[Features.Count];
        foreach (var feature in seeds.SelectMany(FeaturesOf))
        {
            counts[feature]++;
        }

        Assert.All(counts, count => Assert.True(count >= Each, $"{count}"));
        Assert.All(seeds, seed => Assert.True(seed >= 1_000));
        Assert.Equal(seeds.Distinct(), seeds);
        var plain = new int[Features.Count];
        var plainCount = 0;
        for (var seed = 1_000UL; plain.Min() < Each; seed++, plainCount++)
        {
            foreach (var feature in FeaturesOf(seed))
            {
                plain[feature]++;
            }
        }

        Assert.True(seeds.Count < plainCount, $"{seeds.Count} seeds planned, {plainCount} in a row");
    }

    private static IReadOnlyList<int> FeaturesOf(ulong seed) =>
        Features.Of(new SimulatedCluster(seed, Scenario.Draw(seed), null));
}
