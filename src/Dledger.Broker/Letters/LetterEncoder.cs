using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.StateMachine;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Letters;

/// <summary>Makes the Resend record of a dead letter, and says what applying one does to the letter.</summary>
internal static class LetterEncoder
{
    /// <summary>A copy of a letter for its origin topic: id, keys, tag, properties and body are kept, the origin is not.</summary>
    public static byte[] Encode(in RecordView letter, int topicId, int queueId, in LetterReference reference)
    {
        var encodedReference = reference.Encode();
        return RecordCopy.Encode(
            letter,
            RecordKind.Resend,
            topicId,
            queueId,
            keeps: static kind => kind is not (
                PropertyKind.DeadLetterTopic or PropertyKind.DeadLetterMessageId or PropertyKind.ForwardReference
                or PropertyKind.LetterReference) && (int)kind is not (>= 20 and <= 24),
            added: properties => PropertyWriter.Write(properties, PropertyKind.LetterReference, encodedReference));
    }

    /// <summary>Which letter a Resend record sends again.</summary>
    public static LetterReference ReadReference(in RecordView record) =>
        RecordCopy.TryFind(record, PropertyKind.LetterReference, out var content)
            ? LetterReference.Decode(content)
            : throw new InvariantViolationException("a Resend record names no letter");

    /// <summary>Notes that a letter is sent again; why not, when it is gone or was sent before.</summary>
    public static BrokerFailure? Note(BrokerState state, in LetterReference letter)
    {
        if (state.Topics.Find(letter.TopicId) is not { } topic
            || letter.QueueId < 0
            || letter.QueueId >= topic.Queues.Count
            || letter.Offset < topic.Queues[letter.QueueId].Min
            || letter.Offset >= topic.Queues[letter.QueueId].Max)
        {
            return new BrokerFailure(BrokerError.MessageNotFound, "the dead letter is gone");
        }

        return state.Resent.TryAdd(letter) ? null : AlreadySent(letter);
    }

    public static BrokerFailure AlreadySent(in LetterReference letter) => new(
        BrokerError.AlreadyExists, $"the dead letter at offset {letter.Offset} of queue {letter.QueueId} was sent again before");
}
