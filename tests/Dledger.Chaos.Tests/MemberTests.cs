using Dledger.Chaos.Checking;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Histories;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Tests;

/// <summary>Who must hold everything is said by the last configuration.</summary>
public sealed class MemberTests
{
    [Fact]
    public void The_log_of_a_node_that_was_removed_need_not_be_read()
    {
        var history = WithMembers(GoldenHistory.Read("void-replica-not-read"), 1);

        Assert.Equal("held", Checker.Judge(history).Word);
    }

    [Fact]
    public void The_log_of_a_node_that_has_joined_must_be_read()
    {
        var verdict = Checker.Judge(WithMembers(GoldenHistory.Read("valid"), 1, 2, 4));

        Assert.Equal("the final read did not cover node 4", Assert.Single(verdict.Voids));
    }

    [Fact]
    public void A_node_that_has_joined_must_hold_every_acked_message()
    {
        var history = WithMembers(GoldenHistory.Read("valid"), 1, 2, 4);
        var replica = history.Entries.Last(entry => entry is { Function: "final", Node: 2, Messages: not null });
        var last = history.Entries.Count;
        var short4 = replica with { Index = last, Node = 4, Messages = [.. replica.Messages!.SkipLast(1)] };
        var verdict = Checker.Judge(history with { Entries = [.. history.Entries, short4] });

        var finding = Assert.Single(verdict.Findings, finding => finding.Id == "I1");
        Assert.Contains("replica 4", Assert.Single(finding.Examples));
    }

    [Fact]
    public void A_configuration_is_written_without_the_nodes_that_have_no_part_in_it() => Assert.Equal(
        "1 voter, 2 leaving, 4 learner",
        MemberWatch.Describe(new Dictionary<int, MemberRole>
        {
            [4] = MemberRole.MemberLearner,
            [1] = MemberRole.MemberVoter,
            [2] = MemberRole.MemberLeaving,
            [3] = MemberRole.MemberNone,
        }));

    private static History WithMembers(History history, params int[] voters) => history with
    {
        Entries =
        [
            .. history.Entries,
            new HistoryEntry
            {
                Index = history.Entries.Count,
                Time = history.Entries[^1].Time,
                Function = "final",
                Phase = "ok",
                Event = "members",
                On = voters,
            },
        ],
    };
}
