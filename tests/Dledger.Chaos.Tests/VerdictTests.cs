using Dledger.Chaos.Checking;

namespace Dledger.Chaos.Tests;

/// <summary>A run that proves nothing is void, and what a flush mode allows is no breach.</summary>
public sealed class VerdictTests
{
    private static readonly HashSet<string> PowerLosses = ["power-all"];

    [Fact]
    public void A_good_run_holds()
    {
        var verdict = Checker.Judge(GoldenHistory.Read("valid"));

        Assert.Equal(("held", ""), (verdict.Word, string.Join("; ", verdict.Voids)));
    }

    [Theory]
    [InlineData("void-fault-that-did-not-bite", "kill-leader shows no proof that it bit")]
    [InlineData("void-replica-not-read", "the final read did not cover node 2")]
    [InlineData("void-too-few-acks", "15 messages were acked; a run needs 1000")]
    [InlineData("void-leader-never-changed", "the leader never changed")]
    public void A_run_that_proves_nothing_is_void(string history, string reason)
    {
        var verdict = Checker.Judge(GoldenHistory.Read(history));

        Assert.Equal("void", verdict.Word);
        Assert.Equal([reason], verdict.Voids);
    }

    [Fact]
    public void What_a_node_must_not_do_under_a_fault_breaks_the_run()
    {
        var verdict = Checker.Judge(GoldenHistory.Read("surprise"));

        Assert.Equal("broken", verdict.Word);
        Assert.Equal("kill-leader: node 1 ended with code 139", Assert.Single(verdict.Findings).Examples.Single());
    }

    [Fact]
    public void A_power_loss_may_take_the_last_acks_only_without_sync()
    {
        var forgiven = Checker.Judge(GoldenHistory.Read("async-power-loss"), PowerLosses);
        var broken = Checker.Judge(GoldenHistory.Read("sync-power-loss"), PowerLosses);

        Assert.Equal((1, 0), (forgiven.Forgiven, forgiven.Findings.Count));
        Assert.Contains(broken.Findings, finding => finding.Id == "I1");
    }

    [Fact]
    public void A_loss_long_before_the_power_failed_is_not_forgiven()
    {
        var history = GoldenHistory.Read("async-power-loss");
        var later = history with
        {
            Entries = [.. history.Entries.Select(entry => entry.Index >= 36 ? entry with { Time = entry.Time + 5_000_000_000 } : entry)],
        };

        Assert.Contains(Checker.Judge(later, PowerLosses).Findings, finding => finding.Id == "I1");
    }
}
