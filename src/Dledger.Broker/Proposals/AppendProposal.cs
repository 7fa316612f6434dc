using System.Threading.Tasks.Sources;
using Dledger.Broker.Messages;
using Dledger.Primitives;
using Dledger.Replication;

namespace Dledger.Broker.Proposals;

/// <summary>A batch of messages on its way into one queue. It is its own promise, awaited once, and owns its records.</summary>
internal sealed class AppendProposal(RecordBuffer records, int recordCount)
    : BrokerProposal(records.Memory, recordCount), IAppendAnswers, IValueTaskSource<AppendOutcome>
{
    private readonly AppendEntry[] _entries = new AppendEntry[recordCount];
    private ManualResetValueTaskSourceCore<AppendOutcome> _completion = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private int _count;
    private BrokerFailure? _failure;

    /// <summary>0 until the outcome is known or the caller gave up: who sets it completes the promise.</summary>
    private int _isDecided;

    /// <summary>0 until the proposal ended. That may be said twice when an apply throws.</summary>
    private int _isEnded;

    /// <summary>See <see cref="SeededDefect.QueueOffsetAtAppend"/>; null in production.</summary>
    public long? SeededOffset { get; init; }

    /// <summary>The outcome. Cancelling ends the waiting, not the proposal. Called once.</summary>
    public ValueTask<AppendOutcome> WaitAsync(CancellationToken cancellationToken)
    {
        _registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((AppendProposal)state!).GiveUp(token), this);
        return new ValueTask<AppendOutcome>(this, _completion.Version);
    }

    /// <inheritdoc/>
    public void Add(in AppendEntry entry)
    {
        _entries[_count] = SeededOffset is { } first
            ? entry with { Message = entry.Message with { QueueOffset = new QueueOffset(first + _count) } }
            : entry;
        _count++;
    }

    /// <inheritdoc/>
    public void Refuse(BrokerFailure failure) => _failure = failure;

    /// <inheritdoc/>
    public override void Applied()
    {
        if (_failure is { } failure)
        {
            Invariant.Check(_count == 0, "the topic of a batch is gone for all of its messages");
            End(AppendOutcome.Of(failure));
            return;
        }

        Invariant.Check(_count == _entries.Length, "every record of a batch has its outcome");
        End(AppendOutcome.Of(_entries));
    }

    /// <inheritdoc/>
    public override void Fail(ProposalFailure failure) => End(AppendOutcome.Of(FailureMapping.Of(failure)));

    /// <inheritdoc/>
    AppendOutcome IValueTaskSource<AppendOutcome>.GetResult(short token)
    {
        _registration.Unregister();
        return _completion.GetResult(token);
    }

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<AppendOutcome>.GetStatus(short token) => _completion.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<AppendOutcome>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token, flags);

    private void End(AppendOutcome outcome)
    {
        if (Interlocked.Exchange(ref _isEnded, 1) != 0)
        {
            return;
        }

        // The frame holds a copy, or never will.
        records.Return();
        if (Interlocked.Exchange(ref _isDecided, 1) == 0)
        {
            _completion.SetResult(outcome);
        }
    }

    private void GiveUp(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isDecided, 1) == 0)
        {
            _completion.SetException(new OperationCanceledException(cancellationToken));
        }
    }
}
