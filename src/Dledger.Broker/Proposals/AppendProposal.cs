using Dledger.Broker.Messages;
using Dledger.Primitives;
using Dledger.Replication;

namespace Dledger.Broker.Proposals;

/// <summary>A batch of messages on its way into one queue.</summary>
internal sealed class AppendProposal(ReadOnlyMemory<byte> records, int recordCount)
    : BrokerProposal(records, recordCount), IAppendAnswers
{
    private readonly TaskCompletionSource<AppendOutcome> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AppendEntry[] _entries = new AppendEntry[recordCount];
    private int _count;
    private BrokerFailure? _failure;

    public Task<AppendOutcome> Task => _completion.Task;

    /// <summary>See <see cref="SeededDefect.QueueOffsetAtAppend"/>; null in production.</summary>
    public long? SeededOffset { get; init; }

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
            _completion.TrySetResult(AppendOutcome.Of(failure));
            return;
        }

        Invariant.Check(_count == _entries.Length, "every record of a batch has its outcome");
        _completion.TrySetResult(AppendOutcome.Of(_entries));
    }

    /// <inheritdoc/>
    public override void Fail(ProposalFailure failure) =>
        _completion.TrySetResult(AppendOutcome.Of(FailureMapping.Of(failure)));
}
