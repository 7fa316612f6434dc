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
}
