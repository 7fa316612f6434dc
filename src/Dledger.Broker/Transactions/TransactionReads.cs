using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;
using Dledger.Primitives;

namespace Dledger.Broker.Transactions;

/// <summary>Shows transactions to those who are asked about them, and to operators. Any thread.</summary>
internal sealed class TransactionReads(BrokerCalls calls)
{
    public async ValueTask<UndecidedMessage?> ReadUndecidedAsync(
        TransactionQuestion question, CancellationToken cancellationToken)
    {
        // A hint only: who is asked in vain is answered that it is decided.
        var query = new StateQuery<OpenTransaction?>(
            state => state.Transactions.Find(question.Id) is { } half ? OpenTransaction.Of(half) : null, static _ => null);
        if (!calls.Log.TryPost(query)
            || await query.Task.WaitAsync(cancellationToken) is not { } open
            || calls.Machine.Topics.Find(question.Topic) is not { } topic
            || ReadMessage(open.Parts[0], open.QueueId, question.Topic) is not { } message)
        {
            return null;
        }

        return new UndecidedMessage(Text(question.TopicId, question.Id), message, topic.Settings.Webhook);
    }

    public async ValueTask<(IReadOnlyList<TransactionView> Transactions, BrokerFailure? Failure)> ListAsync(
        TransactionSelection selection, CancellationToken cancellationToken)
    {
        if (selection.CountMax is < 1 or > TransactionSelection.CountLimit)
        {
            return ([], BrokerFailure.Of(new Violation(
                BrokenRule.Batch,
                $"{selection.CountMax} transactions are asked for; 1 to {TransactionSelection.CountLimit} are allowed")));
        }

        long? after = null;
        if (selection.After is not null)
        {
            if (calls.Transactions.Read(selection.After, out var id) is { } invalid)
            {
                return ([], invalid);
            }

            after = id;
        }

        return await calls.LookAsync<(IReadOnlyList<TransactionView>, BrokerFailure?)>(
            state => List(state, selection, after), static failure => ([], failure), cancellationToken);
    }

    public async ValueTask<(TransactionContent? Content, BrokerFailure? Failure)> ShowAsync(
        string transactionId, CancellationToken cancellationToken)
    {
        if (calls.Transactions.Read(transactionId, out var id) is { } invalid)
        {
            return (null, invalid);
        }

        var (view, parts, queueId, failure) = await calls.LookAsync(
            state => Locate(state, id), static reason => (null, [], 0, reason), cancellationToken);
        return view is null
            ? (null, failure)
            : (new TransactionContent(
                view, [.. parts.Select(part => ReadMessage(part, queueId, view.Topic)).OfType<DeliveredMessage>()]), null);
    }

    private (IReadOnlyList<TransactionView>, BrokerFailure?) List(
        BrokerState state, TransactionSelection selection, long? after)
    {
        int? topicId = null;
        if (selection.Topic is { } name)
        {
            if (state.Topics.Find(name) is not { } topic)
            {
                return ([], TopicService.NotFound(name));
            }

            topicId = topic.Id;
        }

        // The discarded are in the order of their decisions, and so is a list that goes on behind one of them.
        if (selection.Discarded)
        {
            var discarded = state.Transactions.Discarded.AsEnumerable();
            if (after is { } last && state.Transactions.FindDiscarded(last) is not null)
            {
                discarded = discarded.SkipWhile(entry => entry.Id != last).Skip(1);
            }

            return ([.. discarded
                .Where(entry => topicId is null || entry.TopicId == topicId)
                .Take(selection.CountMax)
                .Select(entry => ViewOf(state, entry))], null);
        }

        return ([.. state.Transactions.Open
            .Where(half => (topicId is null || half.TopicId == topicId) && (after is null || half.Id > after))
            .Take(selection.CountMax)
            .Select(half => ViewOf(state, half))], null);
    }

    private (TransactionView? View, IReadOnlyList<HalfPart> Parts, int QueueId, BrokerFailure? Failure) Locate(
        BrokerState state, long id)
    {
        if (state.Transactions.Find(id) is { } half)
        {
            return (ViewOf(state, half), [.. half.Parts], half.QueueId, null);
        }

        if (state.Transactions.FindDiscarded(id) is { } entry)
        {
            return (ViewOf(state, entry), entry.Parts, entry.QueueId, null);
        }

        return (null, [], 0, new BrokerFailure(
            BrokerError.InvalidTransaction,
            state.Transactions.Decisions.Find(id) == TransactionDecision.Committed
                ? "the transaction was committed; its messages are in their topic"
                : "the transaction is not known: it was decided long ago, or its topic was deleted"));
    }

    private TransactionView ViewOf(BrokerState state, HalfTransaction half) => new()
    {
        TransactionId = Text(half.TopicId, half.Id),
        Topic = NameOf(state, half.TopicId),
        MessageId = half.MessageId,
        MessageCount = half.Count,
        StoredAtMicroseconds = half.StoredAt,
        Checks = half.Checks,
        NextCheckAtMicroseconds = half.NextCheckAt,
    };

    private TransactionView ViewOf(BrokerState state, DiscardedTransaction entry) => new()
    {
        TransactionId = Text(entry.TopicId, entry.Id),
        Topic = NameOf(state, entry.TopicId),
        MessageId = entry.MessageId,
        MessageCount = entry.Parts.Count,
        StoredAtMicroseconds = entry.StoredAt,
        Checks = entry.Checks,
        Decision = entry.Decision,
        Decider = entry.Decider,
        DecidedAtMicroseconds = entry.DecidedAt,
    };

    private static string NameOf(BrokerState state, int topicId) => state.Topics.Find(topicId)?.View.Name ?? "";

    private string Text(int topicId, long id) => calls.Transactions.Codec.Encode(calls.Log.Group.Value, topicId, id);

    private DeliveredMessage? ReadMessage(HalfPart part, int queueId, string topic)
    {
        if (calls.Transactions.ReadPart(part) is not { } bytes)
        {
            return null;
        }

        return new DeliveredMessage(
            bytes, new DeliveryContext(topic, queueId, new QueueOffset(0), part.Position, Attempt: 0, null, TimeSpan.Zero));
    }
}
