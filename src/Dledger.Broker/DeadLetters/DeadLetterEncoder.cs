using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Storage.Records;

namespace Dledger.Broker.DeadLetters;

/// <summary>Makes the Forward record of a message: its copy in a dead letter topic.</summary>
internal static class DeadLetterEncoder
{
    /// <summary>
    /// Copies a stored record. Tag, keys, user properties, id and body stay; the origin is added unless the message is
    /// a dead
    /// letter already, which keeps its first origin.
    /// </summary>
    public static byte[] Encode(
        in RecordView source, string sourceTopic, int deadLetterTopicId, in ForwardReference reference)
    {
        var properties = new ByteWriter(source.Properties.Length + 128);
        var hasOrigin = false;
        var entries = new PropertyEnumerator(source.Properties);
        while (entries.MoveNext())
        {
            if (entries.Kind != PropertyKind.ForwardReference)
            {
                hasOrigin |= entries.Kind == PropertyKind.DeadLetterTopic;
                PropertyWriter.Write(properties, entries.Kind, entries.Content);
            }
        }

        if (!hasOrigin)
        {
            PropertyWriter.Write(properties, PropertyKind.DeadLetterTopic, sourceTopic);
            PropertyWriter.Write(properties, PropertyKind.DeadLetterMessageId, Encoding.UTF8.GetString(source.Key));
        }

        PropertyWriter.Write(properties, PropertyKind.ForwardReference, reference.Encode());
        var fields = new RecordFields
        {
            Kind = RecordKind.Forward,
            TopicId = deadLetterTopicId,
            QueueId = 0,
            TagHash = source.TagHash,
            BornTime = source.BornTime,
            GroupHash = source.GroupHash,
        };
        return RecordEncoder.Encode(fields, source.Key, properties.Written.Span, source.Body);
    }

    /// <summary>Which delivery a Forward record moves.</summary>
    public static ForwardReference ReadReference(in RecordView record)
    {
        var entries = new PropertyEnumerator(record.Properties);
        while (entries.MoveNext())
        {
            if (entries.Kind == PropertyKind.ForwardReference)
            {
                return ForwardReference.Decode(entries.Content);
            }
        }

        throw new Primitives.InvariantViolationException("a Forward record names no delivery");
    }
}
