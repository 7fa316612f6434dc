using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Storage.Records;

namespace Dledger.Broker.DeadLetters;

/// <summary>Makes the Forward record of a message: its copy in a dead letter topic.</summary>
internal static class DeadLetterEncoder
{
    /// <summary>
    /// Copies a stored record. The origin is added unless the message is a dead letter already, which keeps its first origin.
    /// </summary>
    public static byte[] Encode(
        in RecordView source, string sourceTopic, int deadLetterTopicId, in ForwardReference reference)
    {
        var hasOrigin = RecordCopy.TryFind(source, PropertyKind.DeadLetterTopic, out _);
        var messageId = Encoding.UTF8.GetString(source.Key);
        var encodedReference = reference.Encode();
        return RecordCopy.Encode(
            source,
            RecordKind.Forward,
            deadLetterTopicId,
            queueId: 0,
            keeps: static kind => kind != PropertyKind.ForwardReference,
            added: properties =>
            {
                if (!hasOrigin)
                {
                    PropertyWriter.Write(properties, PropertyKind.DeadLetterTopic, sourceTopic);
                    PropertyWriter.Write(properties, PropertyKind.DeadLetterMessageId, messageId);
                }

                PropertyWriter.Write(properties, PropertyKind.ForwardReference, encodedReference);
            });
    }

    /// <summary>Which delivery a Forward record moves.</summary>
    public static ForwardReference ReadReference(in RecordView record) =>
        RecordCopy.TryFind(record, PropertyKind.ForwardReference, out var content)
            ? ForwardReference.Decode(content)
            : throw new Primitives.InvariantViolationException("a Forward record names no delivery");
}
