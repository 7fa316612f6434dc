using Dledger.Broker.Messages;
using Dledger.Primitives;
using Dledger.Replication;

namespace Dledger.Broker.Proposals;

/// <summary>A batch of messages on its way into one queue.</summary>
internal sealed class AppendProposal(ReadOnlyMemory<byte> records, int recordCount)
    : BrokerProposal(records, recordCount)
{
    private readonly TaskCompletionSource<AppendOutcome> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AppendedMessage[] _messages = new AppendedMessage[recordCount];
    private int _count;
    private BrokerFailure? _failure;

    public Task<AppendOutcome> Task => _completion.Task;

    /// <summary>See <see cref="SeededDefect.QueueOffsetAtAppend"/>; null in production.</summary>
    public long? SeededOffset { get; init; }

    /// <summary>Called on the apply loop for each record in order.</summary>
    public void Add(in AppendedMessage message)
    {
        _messages[_count] = SeededOffset is { } first
            ? message with { QueueOffset = new QueueOffset(first + _count) }
            : message;
        _count++;
    }

    /// <summary>The topic or queue is gone; called on the apply loop for each record.</summary>
    public void Refuse(BrokerFailure failure) => _failure = failure;

    /// <inheritdoc/>
    public override void Applied()
    {
        if (_failure is { } failure)
        {
            Invariant.Check(_count == 0, "a batch is appended as a whole");
            _completion.TrySetResult(AppendOutcome.Of(failure));
            return;
        }

        Invariant.Check(_count == _messages.Length, "every record of a batch has its outcome");
        _completion.TrySetResult(AppendOutcome.Of(_messages));
    }

    /// <inheritdoc/>
    public override void Fail(ProposalFailure failure) =>
        _completion.TrySetResult(AppendOutcome.Of(FailureMapping.Of(failure)));
}
