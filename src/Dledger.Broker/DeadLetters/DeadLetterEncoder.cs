using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Storage.Records;

namespace Dledger.Broker.DeadLetters;

/// <summary>Makes the Forward record of a message: its copy in a dead letter topic.</summary>
internal static class DeadLetterEncoder
{
    /// <summary>
    /// Copies a stored record. A message that is a dead letter already keeps its first origin; attempts and reason are always those of
    /// the group that gives it up now.
    /// </summary>
    /// <param name="source">The stored record.</param>
    /// <param name="sourceTopic">The topic that it lies in.</param>
    /// <param name="deadLetterTopicId">Where the copy goes.</param>
    /// <param name="queueId">The queue of it that belongs to the source's topic.</param>
    /// <param name="attempts">How often the message was delivered.</param>
    /// <param name="reason">Why it is given up.</param>
    /// <param name="reference">The delivery that ends by it.</param>
    /// <param name="clientId">Which client of a broadcast group gives it up; else empty.</param>
    public static byte[] Encode(
        in RecordView source,
        string sourceTopic,
        int deadLetterTopicId,
        int queueId,
        int attempts,
        DeadLetterReason reason,
        in ForwardReference reference,
        string clientId = "")
    {
        var first = ReadOrigin(source);
        var topic = first?.Topic ?? sourceTopic;
        var messageId = first?.MessageId ?? Encoding.UTF8.GetString(source.Key);
        var encodedReference = reference.Encode();
        var detail = new DeadLetterDetail(
            first?.QueueId ?? reference.Delivery.QueueId,
            first?.QueueOffset.Value ?? reference.Delivery.Offset,
            attempts,
            reason,
            first?.StoredAtMicroseconds ?? source.StoreTime,
            clientId).Encode();
        return RecordCopy.Encode(
            source,
            RecordKind.Forward,
            deadLetterTopicId,
            queueId,
            keeps: static kind => kind is not (
                PropertyKind.ForwardReference or PropertyKind.DeadLetterTopic or PropertyKind.DeadLetterMessageId
                or PropertyKind.DeadLetterDetail),
            added: properties =>
            {
                PropertyWriter.Write(properties, PropertyKind.DeadLetterTopic, topic);
                PropertyWriter.Write(properties, PropertyKind.DeadLetterMessageId, messageId);
                PropertyWriter.Write(properties, PropertyKind.DeadLetterDetail, detail);
                PropertyWriter.Write(properties, PropertyKind.ForwardReference, encodedReference);
            });
    }

    /// <summary>Which delivery a Forward record moves.</summary>
    public static ForwardReference ReadReference(in RecordView record) =>
        RecordCopy.TryFind(record, PropertyKind.ForwardReference, out var content)
            ? ForwardReference.Decode(content)
            : throw new Primitives.InvariantViolationException("a Forward record names no delivery");

    /// <summary>Where a dead letter came from; null for other records.</summary>
    public static DeadLetterOrigin? ReadOrigin(in RecordView record) =>
        RecordCopy.TryFind(record, PropertyKind.DeadLetterTopic, out var topic)
        && RecordCopy.TryFind(record, PropertyKind.DeadLetterMessageId, out var id)
        && RecordCopy.TryFind(record, PropertyKind.DeadLetterDetail, out var detail)
            ? DeadLetterDetail.Decode(detail).ToOrigin(Encoding.UTF8.GetString(topic), Encoding.UTF8.GetString(id))
            : null;
}
