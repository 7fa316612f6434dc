namespace Dledger.Broker;

/// <summary>
/// Defects that tests switch on one at a time: a simulation that does not find each of them proves nothing about the rest.
/// </summary>
internal enum SeededDefect
{
    /// <summary>The code as it is.</summary>
    None,

    /// <summary>A message's queue offset is counted when it is proposed, not when it is applied.</summary>
    QueueOffsetAtAppend,

    /// <summary>The log is given free before the state that it made is on disk.</summary>
    LogReleasedBeforeCheckpoint,

    /// <summary>Leases end by the node's clock instead of the log's.</summary>
    LeaseExpiryByWallClock,

    /// <summary>In an ordered group a message that became visible again does not hold back those behind it.</summary>
    OrderLockFreedAtExpiry,

    /// <summary>A receipt of an earlier delivery finishes the present one.</summary>
    StaleReceiptAccepted,

    /// <summary>An ack is answered when it is proposed: a fail-over forgets it.</summary>
    AckBeforeCommit,

    /// <summary>State checkpoints leave the leases out.</summary>
    LeasesNotInCheckpoint,

    /// <summary>Only the node that granted a lease counts the attempt.</summary>
    AttemptsNotReplicated,

    /// <summary>A repeated move to the dead letters makes another copy.</summary>
    DeadLetterTwice,

    /// <summary>State checkpoints leave out which message ids are known.</summary>
    KnownIdsNotInCheckpoint,

    /// <summary>Whether a message is known is decided when it is proposed, not when it is applied.</summary>
    DuplicateFoundAtPropose,

    /// <summary>A committed transaction stays open, so that a repeated commit publishes its messages again.</summary>
    TransactionPublishedTwice,

    /// <summary>State checkpoints leave the open transactions out.</summary>
    TransactionsNotInCheckpoint,

    /// <summary>A delayed message is delivered when the leader's clock says so, not the log's.</summary>
    TimerFiredByWallClock,

    /// <summary>Each copy of a delayed message that is due joins the queue, not only the first.</summary>
    TimerFiredTwice,

    /// <summary>A recall is answered when it is proposed: a fail-over forgets it.</summary>
    RecallBeforeCommit,

    /// <summary>A group that is moved to another offset keeps the leases of what it leaves.</summary>
    SeekLeavesLeases,

    /// <summary>What follows a parked message in its message group is handed out.</summary>
    ParkedMessageOvertaken,

    /// <summary>A message of another lease does not hold back those behind it in its message group.</summary>
    MessageGroupShared,

    /// <summary>Messages that were copied (dead letters) are left out of the key index.</summary>
    CopiesNotIndexed,

    /// <summary>A receive skips for its group what another client's filter wants.</summary>
    MixedFiltersSkip,

    /// <summary>A batch costs its topic's quota one message, however many it has.</summary>
    QuotaPerSend,

    /// <summary>A replay takes the group back to the first message that it lets wait again.</summary>
    ReplayMovesGroup,

    /// <summary>What one member of a broadcast group has finished counts as finished for all of them.</summary>
    AckFinishesForAllMembers,

    /// <summary>A repeat, which the producer is answered with the first result, is routed a second time.</summary>
    RepeatRoutedAgain,

    /// <summary>The key of a message that nobody acknowledged in time counts as processed.</summary>
    ExpiredKeysProcessed,

    /// <summary>The bands of a PRIORITY topic are visited in turns, like the queues of other topics.</summary>
    PriorityRoundRobin,

    /// <summary>A receive on a parent of lite topics is given messages of all of them, not only of its client's set.</summary>
    LiteSetIgnored,

    /// <summary>What follows a message that is owed to the dead letters in its message group is handed out.</summary>
    ObligedMessageOvertaken,

    /// <summary>A group that tries a message for ever gives it up like others.</summary>
    BlockedMessageGivenUp,

    /// <summary>Messages live by the leader's clock instead of the log's.</summary>
    LifetimeByWallClock,

    /// <summary>A message of an at-most-once group is finished when its lease ends, not when it is handed out.</summary>
    HandedOutNotFinished,

    /// <summary>A new leader takes the holder of an exclusive group for gone before that could speak.</summary>
    HolderGoneAtFailover,

    /// <summary>Leases on their way do not count as messages in flight.</summary>
    LeasesOnTheirWayNotCounted,

    /// <summary>A receive that waits for messages is served although its group is paused.</summary>
    LeaseBreaksPause,

    /// <summary>A message is handed out while another one of its key is in flight.</summary>
    HeldKeyDelivered,

    /// <summary>A lite topic that nobody has used for long ends although some of its messages are not consumed.</summary>
    LiteEndedUnread,

    /// <summary>What a lite topic holds when it is deleted is left to the next one that gets its queue.</summary>
    LiteEndKeepsMessages,

    /// <summary>What a client sends is not counted for its quota.</summary>
    ClientSendsNotCounted,

    /// <summary>A dead letter that was sent again may be sent again.</summary>
    LetterSentTwice,

    /// <summary>A compressed batch whose first message is a repeat counts as a repeat altogether.</summary>
    PartialRepeatTakenWhole,

    /// <summary>The places of a batch's messages are counted from the first one, also when that is a repeat.</summary>
    BatchCountedFromRepeat,

    /// <summary>An ack of a span finishes the message behind it, too, if that was part of the delivery.</summary>
    SpanAckedTooFar,

    /// <summary>Of a span that is renewed or given back only the first message is.</summary>
    SpanRenewedInPart,
}
