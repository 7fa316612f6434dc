using Dledger.Primitives;
using Dledger.Raft.Quorums;
using Dledger.Simulation.Invariants;
using FsCheck;
using FsCheck.Fluent;

namespace Dledger.Raft.Tests.Quorums;

public sealed class ConfigurationTests
{
    // I27, over all subsets, for random changes: whatever is appended after a configuration cannot decide without it.
    [Fact]
    public void A_change_never_leads_to_a_configuration_that_decides_without_the_one_before()
    {
        var nodes = Gen.Choose(1, 6).Select(number => new Member(new NodeId(number), Guid.Empty)).NonEmptyListOf();
        var changes = nodes.SelectMany(voters => nodes.Select(target => (voters, target)));
        Prop.ForAll(changes.ToArbitrary(), sample =>
        {
            var voters = sample.voters.Distinct().ToArray();
            var target = sample.target.Distinct().ToArray();
            var present = new Configuration(voters, target.Except(voters));
            var change = new ConfigurationChange { Promote = [.. target.Except(voters)], Remove = [.. voters.Except(target)] };
            if (!change.TryApply(present, out var next, out _))
            {
                return voters.ToHashSet().SetEquals(target);
            }

            return next.FindSuccessionFault(present) is null && Intersect(present, next) && Intersect(next, next.Final)
                && next.Final.Voters.ToHashSet().SetEquals(target);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_configuration_with_other_voters_may_not_follow_directly()
    {
        var one = new Member(new NodeId(1), Guid.Empty);
        var two = new Member(new NodeId(2), Guid.Empty);

        Assert.NotNull(new Configuration([one, two]).FindSuccessionFault(new Configuration([one])));
        Assert.NotNull(new Configuration([one]).FindSuccessionFault(new Configuration([one], votersNew: [two])));
        Assert.Null(new Configuration([two]).FindSuccessionFault(new Configuration([one], votersNew: [two])));
        Assert.Null(new Configuration([one], [two]).FindSuccessionFault(new Configuration([one])));
    }

    [Fact]
    public void A_list_with_one_node_twice_is_no_configuration()
    {
        var old = new Member(new NodeId(1), Guid.Empty);
        var wiped = new Member(new NodeId(1), new Guid(1, 2, 3, new byte[8]));

        Assert.NotNull(Configuration.FindFault([old, wiped], [], []));
        Assert.NotNull(Configuration.FindFault([], [], []));
        Assert.NotNull(Configuration.FindFault([old], [], [old]));
        Assert.Null(Configuration.FindFault([old], [wiped], []));
    }

    private static bool Intersect(Configuration left, Configuration right)
    {
        var voters = left.Voters.Concat(left.VotersNew).Concat(right.Voters).Concat(right.VotersNew).Distinct().ToArray();
        return Enumerable.Range(0, 1 << voters.Length).All(subset =>
        {
            var chosen = voters.Where((_, index) => (subset & (1 << index)) != 0).ToHashSet();
            return !MemberChecks.IsQuorum(left, chosen.Contains)
                || !MemberChecks.IsQuorum(right, voter => !chosen.Contains(voter));
        });
    }
}
