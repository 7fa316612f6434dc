using Dledger.Broker.Filtering;
using Dledger.Broker.Lites;
using Dledger.Broker.Proposals;
using Dledger.Broker.Quotas;
using Dledger.Replication;

namespace Dledger.Broker.Receiving;

/// <summary>One receive on its way through the apply loop.</summary>
/// <remarks>
/// <code>
///   Open --apply loop: TryClaim--> Claimed --Complete--> Finished
///     ^------------TryReopen----------'
///   Open --timeout: GiveUp, caller: Cancel--> Finished
/// </code>
/// Only a claimed operation may have a Lease proposed for it, so one that was given up or cancelled first locks
/// nothing.
/// Safe for any thread.
/// </remarks>
internal sealed class ReceiveOperation : IStateMachineRequest, ITimedPoll
{
    private const int Open = 0;
    private const int Claimed = 1;
    private const int Finished = 2;

    private readonly TaskCompletionSource<ReceiveGrant> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state;
    private volatile bool _isGivenUp;
    private volatile ReceiveGrant _ending = ReceiveGrant.Empty;

    public required int GroupId { get; init; }

    public required int TopicId { get; init; }

    public required MessageFilter Filter { get; init; }

    /// <summary>The filters of the group's living clients on the topic; what one of them wants is not skipped.</summary>
    public required GroupFilters GroupFilters { get; init; }

    /// <summary>Set when the operation carries what the caller found in the records that an earlier one was shown.</summary>
    public ScanVerdict? Verdict { get; init; }

    /// <summary>Whether index entries alone do not say what to hand out and what to skip.</summary>
    public bool MustScan => !Filter.MatchesAll && (Filter.NeedsRecords || GroupFilters.AreMixed);

    /// <summary>The lite topics of the client; null on a topic of another type.</summary>
    public LiteSet? Lites { get; init; }

    /// <summary>1 to <see cref="Naming.Limits.StreamBatchMax"/>.</summary>
    public required int BatchSize { get; init; }

    /// <summary>What it takes at most, whatever the quotas leave.</summary>
    public QuotaRoom Room { get; init; } = QuotaRoom.Unbounded;

    public required long InvisibleMicroseconds { get; init; }

    public required bool AutoRenew { get; init; }

    public required long ClientHash { get; init; }

    /// <summary>0 without an attempt id.</summary>
    public required UInt128 AttemptHash { get; init; }

    /// <summary>Whether it waits for messages when there are none.</summary>
    public required bool CanWait { get; init; }

    /// <summary>Ends with the grant; cancelled when <see cref="Cancel"/> came in time.</summary>
    public Task<ReceiveGrant> Task => _completion.Task;

    /// <summary>Whether nothing will be done for it any more.</summary>
    public bool IsFinished => Volatile.Read(ref _state) == Finished;

    /// <summary>There are messages, but not for it: why, in case that its time runs out so.</summary>
    public void HoldBack(BrokerFailure reason) => _ending = ReceiveGrant.Of(reason);

    /// <summary>Nothing but a lack of messages keeps it waiting.</summary>
    public void LetGo() => _ending = ReceiveGrant.Empty;

    /// <summary>The apply loop takes it up; false when it is finished.</summary>
    public bool TryClaim() => Interlocked.CompareExchange(ref _state, Claimed, Open) == Open;

    /// <summary>
    /// A claimed operation got nothing: it waits again, or ends empty when its time is up. False when it ended.
    /// </summary>
    public bool TryReopen()
    {
        if (CanWait && !_isGivenUp)
        {
            Volatile.Write(ref _state, Open);

            // The time may have run out between the check and the write; then nobody else would end it.
            if (_isGivenUp)
            {
                GiveUp();
            }

            return !IsFinished;
        }

        Complete(_ending);
        return false;
    }

    /// <summary>Its time is up: it ends empty, or with what holds it back, unless a lease is on its way.</summary>
    public void GiveUp()
    {
        _isGivenUp = true;
        if (Interlocked.CompareExchange(ref _state, Finished, Open) == Open)
        {
            _completion.TrySetResult(_ending);
        }
    }

    /// <summary>
    /// The caller went away. True when it leased nothing; false when a grant is on its way and must be awaited.
    /// </summary>
    public bool Cancel(CancellationToken cancellationToken)
    {
        _isGivenUp = true;
        if (Interlocked.CompareExchange(ref _state, Finished, Open) != Open)
        {
            return false;
        }

        _completion.TrySetCanceled(cancellationToken);
        return true;
    }

    /// <summary>Ends it, whatever its state was.</summary>
    public void Complete(ReceiveGrant grant)
    {
        Volatile.Write(ref _state, Finished);
        _completion.TrySetResult(grant);
    }

    /// <inheritdoc/>
    public void Abandon(ProposalFailure failure) => Complete(ReceiveGrant.Of(FailureMapping.Of(failure)));
}
