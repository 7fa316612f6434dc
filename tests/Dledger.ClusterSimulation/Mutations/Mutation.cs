namespace Dledger.ClusterSimulation.Mutations;

/// <summary>
/// A defect that is put between the production code and what it stands on, to prove that the simulation would find the same
/// in the code itself.
/// </summary>
internal enum Mutation
{
    /// <summary>The code as it is.</summary>
    None = 0,

    /// <summary>A sync of the log returns before anything is durable: acks come too early.</summary>
    AckBeforeSync,

    /// <summary>A sync of the meta file returns before anything is durable: terms and votes can be forgotten.</summary>
    VoteBeforeMetaDurable,

    /// <summary>New names are not made durable in their directory.</summary>
    DirectorySyncMissing,

    /// <summary>A failed sync is tried again, and the second success is believed.</summary>
    RetryAfterFailedSync,

    /// <summary>
    /// State checkpoints may describe what the own log has not synced, and are believed whatever the log says. Either of the two
    /// alone does no harm: the other one catches it.
    /// </summary>
    CheckpointAheadOfLog,

    /// <summary>Apply takes the time from the node's clock instead of the frame.</summary>
    ApplyByOwnClock,

    /// <summary>Apply goes through the records of a frame in an order that differs from node to node.</summary>
    ApplyInAnotherOrder,

    /// <summary>A truncation does not lower the watermark first.</summary>
    TruncationKeepsWatermark,

    /// <summary>Recovery takes the highest watermark instead of the newest one.</summary>
    HighestWatermarkWins,

    /// <summary>Recovery takes damage for the end of the log: it knows no watermark.</summary>
    DamageCutAway,

    /// <summary>Recovery believes the page cache: it does not write the end of the log again and sync it.</summary>
    RecoveryWithoutResync,

    /// <summary>The header page of a segment that is given up stays as it was.</summary>
    RetiredHeaderKept,

    /// <summary>See <see cref="Broker.SeededDefect.LogReleasedBeforeCheckpoint"/>.</summary>
    LogReleasedBeforeCheckpoint,

    /// <summary>See <see cref="Broker.SeededDefect.QueueOffsetAtAppend"/>.</summary>
    QueueOffsetAtAppend,

    /// <summary>See <see cref="Broker.SeededDefect.LeaseExpiryByWallClock"/>.</summary>
    LeaseExpiryByWallClock,

    /// <summary>See <see cref="Broker.SeededDefect.OrderLockFreedAtExpiry"/>.</summary>
    OrderLockFreedAtExpiry,

    /// <summary>See <see cref="Broker.SeededDefect.StaleReceiptAccepted"/>.</summary>
    StaleReceiptAccepted,

    /// <summary>See <see cref="Broker.SeededDefect.AckBeforeCommit"/>.</summary>
    AckBeforeCommit,

    /// <summary>See <see cref="Broker.SeededDefect.LeasesNotInCheckpoint"/>.</summary>
    LeasesNotInCheckpoint,

    /// <summary>See <see cref="Broker.SeededDefect.AttemptsNotReplicated"/>.</summary>
    AttemptsNotReplicated,

    /// <summary>See <see cref="Broker.SeededDefect.DeadLetterTwice"/>.</summary>
    DeadLetterTwice,

    /// <summary>See <see cref="Broker.SeededDefect.SeekLeavesLeases"/>.</summary>
    SeekLeavesLeases,

    /// <summary>See <see cref="Broker.SeededDefect.TransactionPublishedTwice"/>.</summary>
    TransactionPublishedTwice,

    /// <summary>See <see cref="Broker.SeededDefect.TransactionsNotInCheckpoint"/>.</summary>
    TransactionsNotInCheckpoint,

    /// <summary>See <see cref="Broker.SeededDefect.MixedFiltersSkip"/>.</summary>
    MixedFiltersSkip,

    /// <summary>See <see cref="Replication.ReplicationOptions.InstallsEverySnapshot"/>.</summary>
    SnapshotTakesBack,

    /// <summary>A leader answers reads of its state without asking a majority whether it still leads.</summary>
    ReadsUnconfirmed,

    /// <summary>See <see cref="Broker.SeededDefect.KnownIdsNotInCheckpoint"/>.</summary>
    KnownIdsNotInCheckpoint,

    /// <summary>See <see cref="Broker.SeededDefect.DuplicateFoundAtPropose"/>.</summary>
    DuplicateFoundAtPropose,

    /// <summary>See <see cref="Broker.SeededDefect.ParkedMessageOvertaken"/>.</summary>
    ParkedMessageOvertaken,

    /// <summary>See <see cref="Broker.SeededDefect.MessageGroupShared"/>.</summary>
    MessageGroupShared,

    /// <summary>See <see cref="Broker.SeededDefect.TimerFiredByWallClock"/>.</summary>
    TimerFiredByWallClock,

    /// <summary>See <see cref="Broker.SeededDefect.TimerFiredTwice"/>.</summary>
    TimerFiredTwice,

    /// <summary>See <see cref="Broker.SeededDefect.RecallBeforeCommit"/>.</summary>
    RecallBeforeCommit,

    /// <summary>See <see cref="Broker.SeededDefect.CopiesNotIndexed"/>.</summary>
    CopiesNotIndexed,

    /// <summary>See <see cref="Broker.SeededDefect.QuotaPerSend"/>.</summary>
    QuotaPerSend,

    /// <summary>See <see cref="Broker.SeededDefect.ReplayMovesGroup"/>.</summary>
    ReplayMovesGroup,

    /// <summary>See <see cref="Broker.SeededDefect.AckFinishesForAllMembers"/>.</summary>
    AckFinishesForAllMembers,

    /// <summary>See <see cref="Broker.SeededDefect.RepeatRoutedAgain"/>.</summary>
    RepeatRoutedAgain,

    /// <summary>See <see cref="Broker.SeededDefect.ExpiredKeysProcessed"/>.</summary>
    ExpiredKeysProcessed,

    /// <summary>See <see cref="Broker.SeededDefect.PriorityRoundRobin"/>.</summary>
    PriorityRoundRobin,

    /// <summary>See <see cref="Broker.SeededDefect.LiteSetIgnored"/>.</summary>
    LiteSetIgnored,

    /// <summary>See <see cref="Broker.SeededDefect.ObligedMessageOvertaken"/>.</summary>
    ObligedMessageOvertaken,

    /// <summary>See <see cref="Broker.SeededDefect.BlockedMessageGivenUp"/>.</summary>
    BlockedMessageGivenUp,

    /// <summary>See <see cref="Broker.SeededDefect.LifetimeByWallClock"/>.</summary>
    LifetimeByWallClock,

    /// <summary>See <see cref="Broker.SeededDefect.HandedOutNotFinished"/>.</summary>
    HandedOutNotFinished,

    /// <summary>See <see cref="Broker.SeededDefect.HolderGoneAtFailover"/>.</summary>
    HolderGoneAtFailover,

    /// <summary>See <see cref="Broker.SeededDefect.LeasesOnTheirWayNotCounted"/>.</summary>
    LeasesOnTheirWayNotCounted,

    /// <summary>See <see cref="Broker.SeededDefect.LeaseBreaksPause"/>.</summary>
    LeaseBreaksPause,

    /// <summary>See <see cref="Broker.SeededDefect.HeldKeyDelivered"/>.</summary>
    HeldKeyDelivered,

    /// <summary>See <see cref="Broker.SeededDefect.LiteEndedUnread"/>.</summary>
    LiteEndedUnread,

    /// <summary>See <see cref="Broker.SeededDefect.LiteEndKeepsMessages"/>.</summary>
    LiteEndKeepsMessages,

    /// <summary>See <see cref="Broker.SeededDefect.ClientSendsNotCounted"/>.</summary>
    ClientSendsNotCounted,

    /// <summary>See <see cref="Broker.SeededDefect.LetterSentTwice"/>.</summary>
    LetterSentTwice,

    /// <summary>See <see cref="Broker.SeededDefect.PartialRepeatTakenWhole"/>.</summary>
    PartialRepeatTakenWhole,

    /// <summary>See <see cref="Broker.SeededDefect.BatchCountedFromRepeat"/>.</summary>
    BatchCountedFromRepeat,

    /// <summary>See <see cref="Broker.SeededDefect.SpanAckedTooFar"/>.</summary>
    SpanAckedTooFar,

    /// <summary>See <see cref="Broker.SeededDefect.SpanRenewedInPart"/>.</summary>
    SpanRenewedInPart,
}
