using Dledger.Chaos.Faults;
using Dledger.Chaos.Schedules;

namespace Dledger.Chaos.Tests;

/// <summary>A seed stands for one schedule.</summary>
public sealed class ScheduleTests
{
    [Fact]
    public void The_same_seed_gives_the_same_schedule_and_another_one_another()
    {
        Assert.Equal(Plan(7), Plan(7));
        Assert.NotEqual(Plan(7), Plan(8));
    }

    [Fact]
    public void Every_kind_comes_once_before_any_comes_again()
    {
        var kinds = FaultCatalogue.All.Count;

        Assert.Equal(kinds, Plan(3).Take(kinds).Select(planned => planned.Kind).Distinct().Count());
    }

    [Fact]
    public void Every_hold_lies_in_the_range_of_its_kind() => Assert.All(
        Plan(5), planned => Assert.InRange(planned.Hold, planned.Kind.HoldMin, planned.Kind.HoldMax));

    [Fact]
    public void Names_of_faults_are_unique_and_an_unknown_one_is_refused()
    {
        Assert.Equal(FaultCatalogue.All.Count, FaultCatalogue.All.Select(kind => kind.Name).Distinct().Count());
        Assert.Contains("kill-leader", Assert.Throws<ChaosException>(() => FaultCatalogue.Named(["no-such"])).Message);
    }

    private static List<PlannedFault> Plan(int seed) =>
        [.. FaultPlan.Of(new ChaosOptions { Seed = seed, Faults = FaultCatalogue.All }).Take(3 * FaultCatalogue.All.Count)];
}
