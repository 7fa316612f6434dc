using Dledger.Primitives;
using Dledger.Raft.Quorums;
using FsCheck;
using FsCheck.Fluent;

namespace Dledger.Raft.Tests.Quorums;

public sealed class QuorumTests
{
    private static readonly Member One = new(new NodeId(1), Guid.Empty);
    private static readonly Member Two = new(new NodeId(2), Guid.Empty);
    private static readonly Member Three = new(new NodeId(3), Guid.Empty);

    [Fact]
    public void The_majority_value_is_the_largest_that_a_majority_reached()
    {
        var values = Gen.Choose(0, 20).Select(value => (long)value).NonEmptyListOf().Where(list => list.Count <= 9);
        Prop.ForAll(values.ToArbitrary(), list =>
        {
            // The slow twin tries every candidate and counts.
            var expected = list.Where(candidate => list.Count(value => value >= candidate) > list.Count / 2).Max();

            return Quorum.MajorityValue(list.ToArray()) == expected;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Two_majorities_of_one_configuration_share_a_voter()
    {
        for (var voters = 1; voters <= 9; voters++)
        {
            Assert.True(2 * Quorum.Size(voters) > voters);
            Assert.True(2 * (Quorum.Size(voters) - 1) <= voters);
        }
    }

    [Fact]
    public void A_ballot_counts_each_voter_once_and_nobody_else()
    {
        var ballot = new Ballot(new Configuration([One, Two, Three]));

        ballot.Count(One, isGranted: true);
        ballot.Count(One, isGranted: true);
        ballot.Count(new Member(new NodeId(9), Guid.Empty), isGranted: true);
        Assert.False(ballot.IsWon);
        ballot.Count(Three, isGranted: true);

        Assert.True(ballot.IsWon);
    }

    [Fact]
    public void A_ballot_is_lost_when_grants_and_awaited_answers_are_no_majority()
    {
        var ballot = new Ballot(new Configuration([One, Two, Three]));
        ballot.Await(One);
        ballot.Await(Two);
        ballot.Await(Three);

        ballot.Count(Two, isGranted: false);
        Assert.False(ballot.IsLost);
        ballot.Count(One, isGranted: true);
        Assert.False(ballot.IsLost);
        ballot.GiveUp(Three);

        Assert.True(ballot.IsLost);
    }

    [Fact]
    public void A_voter_that_refused_can_be_asked_again()
    {
        var ballot = new Ballot(new Configuration([One, Two, Three]));
        ballot.Count(One, isGranted: true);
        ballot.Await(Two);
        ballot.Count(Two, isGranted: false);
        Assert.True(ballot.IsLost);

        ballot.Await(Two);
        Assert.False(ballot.IsLost);
        ballot.Count(Two, isGranted: true);

        Assert.True(ballot.IsWon);
    }
}
