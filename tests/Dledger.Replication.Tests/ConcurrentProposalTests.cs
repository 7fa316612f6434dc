using Dledger.Primitives;
using Dledger.Replication.Tests.Clusters;

namespace Dledger.Replication.Tests;

public sealed class ConcurrentProposalTests
{
    private const int ProposerCount = 64;
    private const int ProposalsEach = 30;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Each_of_many_proposals_in_flight_gets_a_position_of_its_own_behind_the_one_before(int nodeCount)
    {
        await using var cluster = TestCluster.Started(nodeCount);

        var positions = await Task.WhenAll(Enumerable.Range(0, ProposerCount).Select(proposer => Task.Run(async () =>
        {
            var own = new List<LogPosition>();
            for (var i = 0; i < ProposalsEach; i++)
            {
                own.Add(await cluster.ProposeAsync($"{proposer}/{i}"));
            }

            return own;
        })));

        Assert.All(positions, own => Assert.Equal(own.Order(), own));
        var all = positions.SelectMany(own => own).ToList();
        Assert.Equal(ProposerCount * ProposalsEach, all.Distinct().Count());
        await cluster.WaitUntilEqualAsync(all.Max());
    }
}
