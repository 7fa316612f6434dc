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
}
