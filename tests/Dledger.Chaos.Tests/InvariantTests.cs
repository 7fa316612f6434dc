using Dledger.Chaos.Checking;
using Dledger.Chaos.Histories;

namespace Dledger.Chaos.Tests;

/// <summary>Each invariant holds in one history and is broken in another that differs in little more than the breach.</summary>
public sealed class InvariantTests
{
    public static TheoryData<string> Ids => [.. Checker.Invariants.Select(invariant => invariant.Id)];

    public static TheoryData<string> BadHistories => [.. GoldenHistory.Names("I*-bad")];

    [Theory]
    [MemberData(nameof(Ids))]
    public void An_invariant_holds_in_its_good_history(string id)
    {
        var seen = new Observations(GoldenHistory.Read($"{id}-good"));

        Assert.Empty(seen.Misformed);
        Assert.Empty(Invariant(id).Breaches(seen));
    }

    [Theory]
    [MemberData(nameof(BadHistories))]
    public void An_invariant_finds_the_breach_in_a_bad_history(string name)
    {
        var seen = new Observations(GoldenHistory.Read(name));

        Assert.Empty(seen.Misformed);
        Assert.Single(Invariant(name.Split('-')[0]).Breaches(seen));
    }

    [Fact]
    public void Every_invariant_has_a_bad_history() => Assert.Empty(
        Checker.Invariants.Select(invariant => invariant.Id).Except(
            GoldenHistory.Names("I*-bad").Select(name => name.Split('-')[0])));

    [Fact]
    public void A_loss_in_the_middle_is_told_from_one_at_the_end() => Assert.Contains(
        "middle", Invariant("I1").Breaches(new Observations(GoldenHistory.Read("I1-bad"))).Single());

    [Fact]
    public void A_lease_that_a_stream_may_have_made_ahead_of_its_pop_ends_that_much_earlier()
    {
        var history = GoldenHistory.Read("I12-bad");
        var ahead = history.Entries.Select(
            entry => entry is { Function: "pop", Phase: "ok", Worker: "c" } ? entry with { Since = entry.Time - 4_000_000_000 } : entry);

        Assert.Empty(Invariant("I12").Breaches(new Observations(new History(history.Header, [.. ahead]))));
    }

    private static IInvariant Invariant(string id) => Checker.Invariants.Single(invariant => invariant.Id == id);
}
