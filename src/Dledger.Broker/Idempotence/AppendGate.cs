using Dledger.Broker.Messages;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;
using Dledger.Primitives;

namespace Dledger.Broker.Idempotence;

/// <summary>
/// Decides when a message's record is applied whether it is new. What it remembers is replicated; owned by the apply loop.
/// </summary>
/// <remarks>
/// For each record that a producer's call made, of any kind: <see cref="TryAnswer"/>; when that has no answer, the record takes effect
/// and <see cref="Remember"/> notes the result. A repeat costs bytes of the log but has no effect.
/// </remarks>
internal sealed class AppendGate(BrokerState state, SeededDefect defect)
{
    /// <summary>
    /// True when the record is a repeat, answered with the first result, or is refused: then it has no effect. False when it is new.
    /// </summary>
    public bool TryAnswer(in AppendMark mark, TopicState topic, out AppendEntry answer)
    {
        answer = default;
        if (mark.ProducerId != 0 && TryAnswerSequence(mark, topic, out answer))
        {
            return true;
        }

        if (!TryFindDuplicate(mark, topic, out var first))
        {
            return false;
        }

        answer = new AppendEntry(first);
        if (mark.ProducerId != 0)
        {
            Advance(mark, topic, first);
        }

        return true;
    }

    /// <summary>The message of the same id that the topic remembers; first forgets what it does not keep any longer.</summary>
    public bool TryFindDuplicate(in AppendMark mark, TopicState topic, out AppendedMessage first)
    {
        topic.KnownIds.Expire(topic.View.IdWindow, state.LogTime);
        first = default;
        if (mark.MessageIdHash is not { } hash
            || !topic.View.IdWindow.IsOn
            || defect == SeededDefect.DuplicateFoundAtPropose
            || !topic.KnownIds.TryFind(hash, out first))
        {
            return false;
        }

        first = first with { IsDuplicate = true };
        return true;
    }

    /// <summary>
    /// Notes the result of a record that <see cref="TryAnswer"/> had no answer for. A message that becomes visible later has -1 for its
    /// queue offset.
    /// </summary>
    public void Remember(in AppendMark mark, TopicState topic, in AppendedMessage result)
    {
        if (mark.ProducerId != 0)
        {
            Advance(mark, topic, result);
        }

        if (mark.MessageIdHash is { } hash
            && topic.View.IdWindow.IsOn
            && (defect != SeededDefect.DuplicateFoundAtPropose || !topic.KnownIds.TryFind(hash, out _)))
        {
            topic.KnownIds.Add(hash, result);
            topic.KnownIds.Expire(topic.View.IdWindow, state.LogTime);
        }
    }

    private bool TryAnswerSequence(in AppendMark mark, TopicState topic, out AppendEntry answer)
    {
        answer = default;
        if (state.Producers.Find(mark.ProducerId, state.LogTime) is not { } producer)
        {
            answer = Refuse(
                BrokerError.ProducerUnknown,
                $"producer {mark.ProducerId} is not known, or was unused for too long; initialise a new one");
            return true;
        }

        if (mark.ProducerEpoch != producer.Epoch)
        {
            answer = Refuse(
                BrokerError.ProducerFenced,
                $"producer {mark.ProducerId} was initialised again: its epoch is {producer.Epoch}, not {mark.ProducerEpoch}");
            return true;
        }

        state.Producers.Use(producer, state.LogTime);
        if (state.Producers.SequenceOf(producer, topic.Id) is not { } sequence)
        {
            answer = Refuse(
                BrokerError.Busy,
                $"producer {mark.ProducerId} sends to {producer.Topics.Count} topics, which is the limit; initialise another");
            return true;
        }

        if (mark.Sequence == sequence.Last + 1)
        {
            return false;
        }

        answer = mark.Sequence <= sequence.Last
            ? new AppendEntry(ResultOf(sequence, mark.Sequence, topic))
            : Refuse(
                BrokerError.SequenceOutOfOrder,
                $"message {mark.Sequence} of producer {mark.ProducerId} came where {sequence.Last + 1L} is the next one");
        return true;
    }

    private static AppendEntry Refuse(BrokerError error, string detail) => new(default, new BrokerFailure(error, detail));

    private static AppendedMessage ResultOf(TopicSequence sequence, int number, TopicState topic)
    {
        if (sequence.Find(number) is not { } run)
        {
            return new AppendedMessage(-1, new QueueOffset(-1), LogPosition.Zero, 0) { IsDuplicate = true };
        }

        var index = number - run.First;
        var offset = run.FirstOffset + index;
        var queue = topic.Queues[run.QueueId];
        var position = index == 0 ? new LogPosition(run.Position)
            : offset >= queue.Min ? queue.Read(offset).Position
            : LogPosition.Zero;
        return new AppendedMessage(run.QueueId, new QueueOffset(offset), position, run.StoreTime) { IsDuplicate = true };
    }

    private void Advance(in AppendMark mark, TopicState topic, in AppendedMessage result)
    {
        var producer = state.Producers.Find(mark.ProducerId, state.LogTime);
        Invariant.Check(producer is not null, $"the producer of record {mark.Sequence} was found a moment ago");
        state.Producers.SequenceOf(producer, topic.Id)!.Advance(result);
    }
}
