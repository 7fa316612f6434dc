namespace Dledger.Replication;

/// <summary>One or more encoded records that become part of one frame, together and in order.</summary>
/// <remarks>
/// A proposal given to <see cref="IReplicatedLog.TryPropose"/> ends exactly once: with <see cref="Fail"/>, or as a
/// member of <see cref="CommittedFrame.Proposals"/>. Until then <see cref="Records"/> must not change.
/// </remarks>
public abstract class Proposal
{
    protected Proposal(ReadOnlyMemory<byte> records, int recordCount)
    {
        Records = records;
        RecordCount = recordCount;
    }

    /// <summary>The encoded records back to back; their length is a multiple of 8.</summary>
    public ReadOnlyMemory<byte> Records { get; protected init; }

    /// <summary>Number of records in <see cref="Records"/>, at least 1.</summary>
    public int RecordCount { get; protected init; }

    /// <summary>
    /// The proposal was not, or not provably, committed. Called at most once, on any thread, and never for a proposal
    /// that the state machine saw in <see cref="CommittedFrame.Proposals"/>, unless Apply of that frame threw: then it
    /// may come after the state machine completed the proposal and must change nothing. It must not block.
    /// </summary>
    public abstract void Fail(ProposalFailure failure);
}
