using Dledger.ClusterSimulation.Mutations;
using Dledger.ClusterSimulation.Reports;

namespace Dledger.ClusterSimulation.Tests;

/// <summary>A short campaign of the simulation of whole nodes, and the proof that it finds what it is there to find.</summary>
public sealed class ClusterSimulationTests
{
    [Fact]
    public void All_invariants_hold_in_40_runs()
    {
        var campaign = new Campaign();
        for (ulong seed = 1; seed <= 40; seed++)
        {
            var result = campaign.Run(seed);
            Assert.True(result.Failure is null, Explain(result));
        }

        // I16 is counted only when a range is refused.
        Assert.All(
            campaign.Evaluations.Where(each => each.Key != "I16"),
            each => Assert.True(each.Value > 0, $"{each.Key} was never evaluated"));
    }

    // Runs that found a bug when this was written. Seeds change their meaning with the code; the bugs are pinned by unit tests.
    // 39: log time stood still after a leader with a fast clock. 116: a read of a closed log threw. 1247: a checkpoint of
    // another history than the log beside it. 117: a leader broke down over a rotten frame header of its own log. 1160: a log
    // that the others no longer keep was damaged. 980: two damaged nodes waited for each other. 600, 1190: both state
    // checkpoints of a node had rotted, and its log began later. 739: a log that began later forgot its older configurations.
    // 2673: a write that went astray put a sound record of another place where a message was. 6841: a queue's file that a killed
    // process had created lost its name with the power. 389: what a message was to carry left the cache while the message was held
    // back. 5597: a majority needed a snapshot of a leader whose state checkpoint had rotted. 301209: a group that begins at the end asked
    // for its place without end while no proposal was taken. 7016125: a replay by key left out a message whose record had rotted. 7018041: a
    // delayed message that got another time while its copy was under way was never delivered.
    [Theory]
    [InlineData(39)]
    [InlineData(116)]
    [InlineData(600)]
    [InlineData(980)]
    [InlineData(1190)]
    [InlineData(117)]
    [InlineData(1160)]
    [InlineData(1247)]
    [InlineData(739)]
    [InlineData(2673)]
    [InlineData(6841)]
    [InlineData(389)]
    [InlineData(5597)]
    [InlineData(301209)]
    [InlineData(7016125)]
    [InlineData(7018041)]
    public void A_run_that_once_failed_holds(ulong seed)
    {
        var result = new Campaign().Run(seed);

        Assert.True(result.Failure is null, Explain(result));
    }

    [Fact]
    public void A_seed_gives_the_same_run_twice()
    {
        for (ulong seed = 1; seed <= 5; seed++)
        {
            Assert.Equal(new Campaign().Run(seed).Hash, new Campaign().Run(seed).Hash);
        }
    }

    [Theory]
    [MemberData(nameof(Mutations))]
    public void A_seeded_defect_is_found(string mutation, ulong start)
    {
        const int RunCountMax = 100;
        var campaign = new Campaign(Enum.Parse<Mutation>(mutation));
        var seed = start;
        while (seed < start + RunCountMax && campaign.Run(seed).Failure is null)
        {
            seed++;
        }

        Assert.True(seed < start + RunCountMax, $"{mutation} was not found in {RunCountMax} runs from seed {start}");
    }

    // The starts save time: runs from there found it when this was written. Those that take hundreds of runs are left to make mutations.
    public static TheoryData<string, ulong> Mutations() => new()
    {
        { nameof(Mutation.AckBeforeSync), 1 },
        { nameof(Mutation.VoteBeforeMetaDurable), 1 },
        { nameof(Mutation.DirectorySyncMissing), 1 },
        { nameof(Mutation.RetryAfterFailedSync), 1 },
        { nameof(Mutation.CheckpointAheadOfLog), 1 },
        { nameof(Mutation.ApplyByOwnClock), 1 },
        { nameof(Mutation.ApplyInAnotherOrder), 1 },
        { nameof(Mutation.RecoveryWithoutResync), 220 },
        { nameof(Mutation.DamageCutAway), 30 },
        { nameof(Mutation.LogReleasedBeforeCheckpoint), 10 },
        { nameof(Mutation.RetiredHeaderKept), 120 },
        { nameof(Mutation.QueueOffsetAtAppend), 50 },
        { nameof(Mutation.TransactionPublishedTwice), 1 },
        { nameof(Mutation.TransactionsNotInCheckpoint), 1 },
        { nameof(Mutation.LeaseExpiryByWallClock), 1 },
        { nameof(Mutation.OrderLockFreedAtExpiry), 1 },
        { nameof(Mutation.StaleReceiptAccepted), 40 },
        { nameof(Mutation.AckBeforeCommit), 1 },
        { nameof(Mutation.LeasesNotInCheckpoint), 1 },
        { nameof(Mutation.AttemptsNotReplicated), 1 },
        { nameof(Mutation.DeadLetterTwice), 1 },
        { nameof(Mutation.KnownIdsNotInCheckpoint), 120 },
        { nameof(Mutation.DuplicateFoundAtPropose), 125 },
        { nameof(Mutation.SnapshotTakesBack), 1 },
        { nameof(Mutation.CopiesNotIndexed), 3 },
        { nameof(Mutation.QuotaPerSend), 1 },
        { nameof(Mutation.ReplayMovesGroup), 20 },
        { nameof(Mutation.AckFinishesForAllMembers), 20 },
        { nameof(Mutation.RepeatRoutedAgain), 200 },
        { nameof(Mutation.ExpiredKeysProcessed), 6 },
        { nameof(Mutation.PriorityRoundRobin), 12 },
        { nameof(Mutation.LiteSetIgnored), 1 },
        { nameof(Mutation.ObligedMessageOvertaken), 5 },
        { nameof(Mutation.BlockedMessageGivenUp), 4 },
        { nameof(Mutation.LifetimeByWallClock), 6 },
        { nameof(Mutation.HandedOutNotFinished), 9 },
        { nameof(Mutation.HolderGoneAtFailover), 25 },
        { nameof(Mutation.LeasesOnTheirWayNotCounted), 2 },
        { nameof(Mutation.LeaseBreaksPause), 13 },
        { nameof(Mutation.HeldKeyDelivered), 6 },
        { nameof(Mutation.LiteEndedUnread), 3 },
        { nameof(Mutation.LiteEndKeepsMessages), 3 },
        { nameof(Mutation.ClientSendsNotCounted), 2 },
        { nameof(Mutation.LetterSentTwice), 1 },
        { nameof(Mutation.BatchCountedFromRepeat), 1 },
        { nameof(Mutation.SpanAckedTooFar), 1 },
        { nameof(Mutation.SpanRenewedInPart), 1 },
        { nameof(Mutation.PartialRepeatTakenWhole), 1 },
    };

    private static string Explain(RunResult result) => $"{result.Failure?.Message}; replay: make sim SEED={result.Seed}";
}
