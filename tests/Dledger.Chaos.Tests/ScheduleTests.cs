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

    [Theory]
    [InlineData("F10")]
    [InlineData("F11")]
    public void An_error_of_the_disk_comes_to_leaders_and_to_followers_under_names_of_their_own(string code)
    {
        var names = FaultCatalogue.All.Where(kind => kind.Code == code).Select(kind => kind.Name).ToList();

        Assert.NotEmpty(names);
        Assert.All(names, name => Assert.Matches("-(leader|follower)$", name));
        Assert.Equal(names.Count(name => name.EndsWith("-leader", StringComparison.Ordinal)) * 2, names.Count);
    }

    [Fact]
    public void The_mix_holds_everything_but_an_old_copy_of_a_directory() => Assert.Equal(
        ["old-directory"], FaultCatalogue.All.Where(kind => !kind.IsInMix).Select(kind => kind.Name));

    private static List<PlannedFault> Plan(int seed) =>
        [.. FaultPlan.Of(new ChaosOptions { Seed = seed, Faults = FaultCatalogue.All }).Take(3 * FaultCatalogue.All.Count)];
}
