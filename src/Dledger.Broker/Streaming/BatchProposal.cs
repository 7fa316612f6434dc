using Dledger.Broker.Messages;
using Dledger.Broker.Proposals;
using Dledger.Primitives;
using Dledger.Replication;

namespace Dledger.Broker.Streaming;

/// <summary>A batch of records that a client encoded, on its way into one queue.</summary>
/// <remarks>As long as its messages come to stand side by side, which is the rule, nothing is kept for each of them.</remarks>
/// <param name="records">One for each message, or one for all of them when they stay compressed.</param>
/// <param name="recordCount">How many they are.</param>
/// <param name="messageCount">How many messages they are.</param>
/// <param name="owned">What they lie in, to be returned when the proposal ends; nothing when they are the caller's.</param>
/// <param name="defect">None in production.</param>
internal sealed class BatchProposal(
    ReadOnlyMemory<byte> records, int recordCount, int messageCount, RecordBuffer owned = default, SeededDefect defect = SeededDefect.None)
    : BrokerProposal(records, recordCount), IAppendAnswers
{
    private readonly TaskCompletionSource<BatchOutcome> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AppendedMessage _first;
    private int _count;
    private List<AppendEntry>? _entries;
    private BrokerFailure? _failure;

    /// <summary>0 until the proposal ended. That may be said twice when an apply throws.</summary>
    private int _isEnded;

    public Task<BatchOutcome> Task => _completion.Task;

    /// <inheritdoc/>
    public void Add(in AppendEntry entry)
    {
        if (defect == SeededDefect.BatchCountedFromRepeat && entry.Failure is null)
        {
            _first = _count == 0 ? entry.Message : _first;
            _count++;
            return;
        }

        if (_entries is null && _count == 0 && IsPlain(entry))
        {
            _first = entry.Message;
        }
        else if (_entries is not null || !IsPlain(entry) || entry.Message.QueueOffset != _first.QueueOffset + _count)
        {
            _entries ??= Unfold();
            _entries.Add(entry);
        }

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
            End(BatchOutcome.Of(failure));
            return;
        }

        Invariant.Check(_count == messageCount, "every message of a batch has its outcome");
        End(_entries is null
            ? new BatchOutcome(null, _first.QueueId, _first.QueueOffset, _first.Position, _first.StoreTimeMicroseconds)
            : BatchOutcome.Of(AppendOutcome.Of(_entries)));
    }

    /// <inheritdoc/>
    public override void Fail(ProposalFailure failure) => End(BatchOutcome.Of(FailureMapping.Of(failure)));

    private void End(BatchOutcome outcome)
    {
        if (Interlocked.Exchange(ref _isEnded, 1) == 0)
        {
            // The frame holds a copy, or never will.
            owned.Return();
            _completion.TrySetResult(outcome);
        }
    }

    private static bool IsPlain(in AppendEntry entry) =>
        entry.Failure is null && entry.Message is { IsDuplicate: false, DeliverAtMicroseconds: null };

    // The positions of those before are not kept; nobody asks for them.
    private List<AppendEntry> Unfold()
    {
        var entries = new List<AppendEntry>(messageCount);
        for (var i = 0; i < _count; i++)
        {
            entries.Add(new AppendEntry(_first with { QueueOffset = _first.QueueOffset + i }));
        }

        return entries;
    }
}
