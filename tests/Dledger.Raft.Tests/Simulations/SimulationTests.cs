using Dledger.Simulation.Invariants;
using Dledger.Simulation.Reports;

namespace Dledger.Raft.Tests.Simulations;

/// <summary>A short campaign of the simulator, and the proof that it finds what it is there to find.</summary>
public sealed class SimulationTests
{
    [Fact]
    public void All_invariants_hold_in_600_runs()
    {
        var campaign = new Campaign();
        for (ulong seed = 1; seed <= 600; seed++)
        {
            var result = campaign.Run(seed);
            Assert.True(result.Failure is null, Explain(result));
        }

        Assert.All(Checks.Meanings.Keys, name => Assert.True(campaign.Evaluations[name] > 0, $"{name} was never evaluated"));
        Assert.All(Marks.Names, name => Assert.True(campaign.Marks.Counts[name] > 0, $"'{name}' was never reached"));
    }

    [Fact]
    public void A_seed_gives_the_same_run_twice()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            Assert.Equal(new Campaign().Run(seed).Hash, new Campaign().Run(seed).Hash);
        }
    }

    public static TheoryData<string> Defects() => [.. Mutations.All.Select(defect => defect.ToString())];

    [Theory]
    [MemberData(nameof(Defects))]
    public void The_simulator_finds_a_seeded_defect(string defect) =>
        AssertFound(Enum.Parse<SeededDefect>(defect), only: null, start: defect == nameof(SeededDefect.NoPreviousTermCheck) ? 605UL : 1UL);

    // The step checks above see a wrong step even when it does no harm. These defects do harm, and the harm must be seen, too.
    // The starts save time: runs from there found it when this was written. Any 5,000 runs find it.
    [Theory]
    [InlineData(nameof(SeededDefect.AckBeforeSync), 1)]
    [InlineData(nameof(SeededDefect.VoteBeforeMetaDurable), 715)]
    [InlineData(nameof(SeededDefect.NoPreviousTermCheck), 605)]
    [InlineData(nameof(SeededDefect.CommitWithoutCurrentTerm), 190)]
    [InlineData(nameof(SeededDefect.FollowerCommitBeyondVerified), 15)]
    [InlineData(nameof(SeededDefect.TwoVotesInOneTerm), 235)]
    [InlineData(nameof(SeededDefect.NoHigherTermFromPreVoteReply), 40)]
    [InlineData(nameof(SeededDefect.AckOfOlderSessionCounted), 1325)]
    [InlineData(nameof(SeededDefect.TruncateOnStaleAppend), 1)]
    [InlineData(nameof(SeededDefect.UncountedLeaderCounts), 35)]
    [InlineData(nameof(SeededDefect.JointOneMajority), 1700)]
    [InlineData(nameof(SeededDefect.ConfigurationEffectiveAtCommit), 10)]
    [InlineData(nameof(SeededDefect.LossFlagIgnored), 20)]
    [InlineData(nameof(SeededDefect.LossFlagClearedEarly), 8000)]
    [InlineData(nameof(SeededDefect.WipedNodeCounts), 10)]
    public void The_simulator_finds_the_damage_of_a_seeded_defect(string defect, int start) =>
        AssertFound(Enum.Parse<SeededDefect>(defect), Checks.Outcomes, (ulong)start);

    private static void AssertFound(SeededDefect defect, IReadOnlySet<string>? only, ulong start)
    {
        var result = Mutations.Find(defect, only, start);

        Assert.True(result.CaughtBy is not null, $"{defect} was not found in {result.SeedCount} runs from seed {start}");
    }

    private static string Explain(RunResult result) =>
        $"{result.Failure?.Message}; replay: dotnet run --project tests/Dledger.Simulation -- --seed {result.Seed}";
}
