using Dledger.Broker.Commands;
using Dledger.Broker.DeadLetters;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Broker.Topics;
using Dledger.Replication;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.Transactions;

/// <summary>
/// Copies messages that were given up to the topic that RocketMQ has for them. Volatile, the serving leader's only, owned by the apply
/// loop.
/// </summary>
internal sealed class DiscardForwarder(
    TopicTable topics,
    TransactionTable transactions,
    LeaderInbox inbox,
    RecordReader records,
    Func<Proposal, ProposalFailure?> propose,
    ILogger logger)
{
    private const int InFlightMax = 16;
    private const long UnreadablePause = 5_000_000;

    private readonly HashSet<TransactionReference> _inFlight = [];
    private readonly HashSet<long> _unreadable = [];
    private bool _isCreating;

    /// <summary>A proposal was refused: try again soon.</summary>
    public bool MustRetry { get; private set; }

    /// <summary>Log time at which <see cref="RetryUnreadable"/> has something to do.</summary>
    public long RetryAt { get; private set; } = long.MaxValue;

    /// <summary>Forgets which records could not be read, once it is time.</summary>
    public void RetryUnreadable(long logTimeNow)
    {
        if (RetryAt <= logTimeNow)
        {
            RetryAt = long.MaxValue;
            _unreadable.Clear();
        }
    }

    /// <summary>Proposes what is owed, as far as there is room.</summary>
    public void Work(long logTime)
    {
        MustRetry = false;
        if (transactions.Owed.Count == 0)
        {
            return;
        }

        // The set changes only by apply, never by a proposal, so it can be walked.
        foreach (var half in transactions.Owed)
        {
            // One message of a transaction after another: apply takes them in their order.
            var reference = new TransactionReference(half.Id, Math.Max(half.Published, 0));
            if (_inFlight.Count >= InFlightMax || MustRetry)
            {
                return;
            }

            if (!_inFlight.Contains(reference) && !_unreadable.Contains(half.Id))
            {
                Forward(half, reference, logTime);
            }
        }
    }

    /// <summary>Forgets what was in flight.</summary>
    public void Clear()
    {
        _inFlight.Clear();
        _unreadable.Clear();
        _isCreating = false;
        MustRetry = false;
        RetryAt = long.MaxValue;
    }

    private void Forward(HalfTransaction half, TransactionReference reference, long logTime)
    {
        if (topics.Find(half.TopicId) is not { } origin)
        {
            return;
        }

        if (topics.Find(Names.DiscardedTransactionTopic) is not { } target)
        {
            if (!_isCreating)
            {
                _isCreating = true;
                Propose(DeadLetterTopic.EncodeCreation(Names.DiscardedTransactionTopic), () => _isCreating = false);
            }

            return;
        }

        var part = half.Parts[reference.Part];
        if (records.Read(part.Position, part.Size) is not { } bytes)
        {
            _unreadable.Add(half.Id);
            RetryAt = Math.Min(RetryAt, logTime + UnreadablePause);
            BrokerEvents.HalfMessageUnreadable(logger, part.Position, origin.View.Name);
            return;
        }

        RecordView.TryParseUnchecked(bytes, out var record, out _);
        _inFlight.Add(reference);
        Propose(
            TransactionEncoder.EncodeCopy(
                record, RecordKind.TransactionDiscard, target.Id, queueId: 0, reference, origin.View.Name),
            () => _inFlight.Remove(reference));
    }

    private void Propose(byte[] record, Action ended)
    {
        var proposal = new LeaderProposal(record, inbox, (_, applied) =>
        {
            ended();
            MustRetry |= !applied;
        });
        if (propose(proposal) is not null)
        {
            ended();
            MustRetry = true;
        }
    }
}
