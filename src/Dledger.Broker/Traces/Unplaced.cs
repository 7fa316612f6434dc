using System.Globalization;
using Dledger.Broker.Commands;
using Dledger.Broker.Lookups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Routes;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Timers;
using Dledger.Broker.Topics;
using Dledger.Broker.Transactions;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Traces;

/// <summary>A message whose record is in the log and which is in no queue, and why.</summary>
/// <param name="State">Why.</param>
/// <param name="Sentence">The same for people.</param>
/// <param name="Record">The record that tells most.</param>
/// <param name="QueueId">The queue that it was meant for.</param>
internal sealed record Unplaced(MessageState State, string Sentence, PlacedRecord Record, int QueueId)
{
    /// <summary>Looks for the reason. On the apply loop of the serving leader.</summary>
    /// <param name="state">What is applied.</param>
    /// <param name="topic">The topic that was asked for.</param>
    /// <param name="records">Those with the message's id, newest first; not empty.</param>
    /// <param name="nameOf">Names a transaction to its users.</param>
    public static Unplaced Of(
        BrokerState state, TopicState topic, IReadOnlyList<PlacedRecord> records, Func<long, string> nameOf)
    {
        Unplaced? newest = null;
        foreach (var placed in records)
        {
            RecordView.TryParseUnchecked(placed.Bytes, out var record, out _);
            var (reason, sentence) = record.Kind switch
            {
                RecordKind.HalfMessage => OfHalf(state, topic, record, placed.Position, nameOf),
                RecordKind.Relocate => OfDelayed(state, record, placed.Position),
                RecordKind.Message when record.DeliverAt > record.StoreTime => OfDelayed(state, record, placed.Position),
                _ => OfQueued(topic, record, placed.Position),
            };
            var found = new Unplaced(reason, sentence, placed, Math.Max(0, RoutedPlaces.QueueOf(record, topic.Id)));
            if (reason != MessageState.NotKept)
            {
                return found;
            }

            // A copy that came too late says nothing; what it is the copy of does.
            newest ??= found;
        }

        return newest!;
    }

    private static (MessageState State, string Sentence) OfDelayed(BrokerState state, in RecordView record, LogPosition position)
    {
        var origin = TimerCopies.OriginOf(record, position.Value);
        var key = state.Timers.Moved.Find(origin)
            ?? new TimerKey(TimerKey.TickOf(record.DeliverAt ?? 0), position.Value);
        return state.Timers.TryFind(key, out _)
            ? (MessageState.Delayed,
                $"not delivered yet: it waits for its delivery time, {HistoryReader.Time(key.DueAt)}"
                    + (record.DeliverAt is { } sent && TimerKey.TickOf(sent) != key.Tick ? ", which an operator set" : "")
                    + "; 'dledger timer' shows, moves or cancels it")
            : (MessageState.Unknown, "it waited for its delivery time and waits no more");
    }

    private static (MessageState State, string Sentence) OfHalf(
        BrokerState state, TopicState topic, in RecordView record, LogPosition position, Func<long, string> nameOf)
    {
        var id = position.Value - HalfMark.Read(record).Distance;
        var name = nameOf(id);
        if (state.Transactions.Find(id) is { } half)
        {
            return (
                MessageState.Undecided,
                $"not delivered: its producer has not decided the transaction {name}, and was asked "
                    + Text($"{half.Checks} of {topic.View.Settings.Checks.CountMax} times; ")
                    + $"the next check is at {HistoryReader.Time(half.NextCheckAt)}, or decide it with 'dledger txn'");
        }

        var discarded = state.Transactions.FindDiscarded(id);
        return (discarded?.Decision ?? state.Transactions.Decisions.Find(id)) switch
        {
            TransactionDecision.RolledBack => (
                MessageState.RolledBack,
                $"never delivered: the transaction {name} was rolled back"
                    + (discarded is null ? "" : $" by {Name(discarded.Decider)} at {HistoryReader.Time(discarded.DecidedAt)}")),
            TransactionDecision.ChecksUsedUp => (
                MessageState.TransactionGivenUp,
                $"never delivered: nobody decided the transaction {name} while its checks lasted"
                    + (discarded is null ? "" : Text($" ({discarded.Checks}), given up at {HistoryReader.Time(discarded.DecidedAt)}"))
                    + "; see 'dledger txn show'"),
            TransactionDecision.Forgotten => (
                MessageState.TransactionGivenUp, $"never delivered: retention took it before the transaction {name} was decided"),
            TransactionDecision.Committed => (MessageState.Gone, $"the transaction {name} was committed, and retention took the message"),
            _ => (MessageState.Unknown, $"the transaction {name} was decided too long ago to tell how"),
        };
    }

    private static (MessageState State, string Sentence) OfQueued(TopicState topic, in RecordView record, LogPosition position)
    {
        var queueId = RoutedPlaces.QueueOf(record, topic.Id);
        if (queueId < 0 || queueId >= topic.Queues.Count)
        {
            return (MessageState.NotKept, "never delivered: the queue that it was sent to does not exist");
        }

        if (topic.Lites is { } lites && ReadLite(record) is { } lite && lites.FindQueue(lite) is null)
        {
            return (MessageState.Gone, $"its lite topic '{Names.Printable(lite)}' has ended, and its messages with it");
        }

        var queue = topic.Queues[queueId];
        if (queue.Max > 0 && (queue.Head is not { } head || position < head))
        {
            return (
                MessageState.Gone,
                Text($"the retention of the topic, or a purge, gave it up: queue {queueId} begins at offset {queue.Min} now"));
        }

        return (
            MessageState.NotKept,
            "its record is in the log and joined no queue: it repeated a message that was stored before, or was refused when it was applied");
    }

    private static string? ReadLite(in RecordView record) =>
        RecordCopy.TryFind(record, PropertyKind.LiteTopic, out var name) ? System.Text.Encoding.UTF8.GetString(name) : null;

    private static string Name(TransactionDecider decider) => decider switch
    {
        TransactionDecider.Producer => "its producer",
        TransactionDecider.Webhook => "the webhook of the topic",
        TransactionDecider.Operator => "an operator",
        _ => "the broker",
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
