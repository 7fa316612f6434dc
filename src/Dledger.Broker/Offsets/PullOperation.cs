using Dledger.Broker.Filtering;
using Dledger.Broker.Proposals;
using Dledger.Broker.Receiving;
using Dledger.Replication;

namespace Dledger.Broker.Offsets;

/// <summary>One pull on its way through the apply loop. Ends once, by whoever comes first. Safe for any thread.</summary>
internal sealed class PullOperation : IStateMachineRequest, ITimedPoll
{
    private readonly TaskCompletionSource<PullGrant> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _nextOffset;
    private PullGrant? _seen;

    public required int TopicId { get; init; }

    public required int QueueId { get; init; }

    /// <summary>Looked at next; only the apply loop moves it.</summary>
    public required long Offset
    {
        get => Volatile.Read(ref _nextOffset);
        init => _nextOffset = value;
    }

    /// <summary>Whose quota it counts towards; 0 for a group that does not exist.</summary>
    public required int GroupId { get; init; }

    public required long ClientHash { get; init; }

    public required MessageFilter Filter { get; init; }

    /// <summary>Most entries of the answer.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Bytes of records at which the answer ends; one record may be larger.</summary>
    public required int BytesMax { get; init; }

    /// <summary>Most messages that the caller takes of it, which is what a quota is charged at most.</summary>
    public required int TakenMax { get; init; }

    /// <summary>Whether it waits for messages when there are none.</summary>
    public required bool CanWait { get; init; }

    public Task<PullGrant> Task => _completion.Task;

    public bool IsFinished => _completion.Task.IsCompleted;

    /// <summary>Nothing matched up to here; it waits for what comes.</summary>
    public void Wait(PullGrant seen)
    {
        Volatile.Write(ref _seen, seen);
        Volatile.Write(ref _nextOffset, seen.NextOffset);
    }

    /// <summary>There is something to read, but not for it: why, in case that its time runs out so.</summary>
    public void HoldBack(BrokerFailure reason) => Volatile.Write(ref _seen, PullGrant.Of(reason));

    public void Complete(PullGrant grant) => _completion.TrySetResult(grant);

    /// <inheritdoc/>
    public void GiveUp() => Complete(Volatile.Read(ref _seen) ?? new PullGrant(null, [], Offset, Offset, Offset));

    /// <summary>The caller went away.</summary>
    public void Cancel(CancellationToken cancellationToken) => _completion.TrySetCanceled(cancellationToken);

    /// <inheritdoc/>
    public void Abandon(ProposalFailure failure) => Complete(PullGrant.Of(FailureMapping.Of(failure)));
}
