using System.Buffers.Binary;
using System.Text;
using Dledger.Broker.DeadLetters;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Messages;

/// <summary>Reads a stored record back. The body stays a slice of the record's memory.</summary>
internal static class MessageDecoder
{
    /// <summary>The tag of a record, null without one.</summary>
    public static string? ReadTag(ReadOnlySpan<byte> properties)
    {
        var entries = new PropertyEnumerator(properties);
        while (entries.MoveNext())
        {
            if (entries.Kind == PropertyKind.Tag)
            {
                return Encoding.UTF8.GetString(entries.Content);
            }
        }

        return null;
    }

    /// <summary>The message of a verified record that was handed out.</summary>
    public static DeliveredMessage Decode(ReadOnlyMemory<byte> record, in RecordView view, in DeliveryContext context)
    {
        var type = MessageType.Normal;
        var encoding = BodyEncoding.Identity;
        string? tag = null, group = null, trace = null, lite = null;
        int? priority = null;
        var bornHost = "";
        List<string>? keys = null;
        List<KeyValuePair<string, string>>? properties = null;
        var entries = new PropertyEnumerator(view.Properties);
        while (entries.MoveNext())
        {
            var content = entries.Content;
            switch (entries.Kind)
            {
                case PropertyKind.MessageType:
                    type = (MessageType)content[0];
                    break;
                case PropertyKind.BodyEncoding:
                    encoding = (BodyEncoding)content[0];
                    break;
                case PropertyKind.Tag:
                    tag = Encoding.UTF8.GetString(content);
                    break;
                case PropertyKind.Key:
                    (keys ??= []).Add(Encoding.UTF8.GetString(content));
                    break;
                case PropertyKind.UserProperty:
                    (properties ??= []).Add(ReadUserProperty(content));
                    break;
                case PropertyKind.BornHost:
                    bornHost = Encoding.UTF8.GetString(content);
                    break;
                case PropertyKind.MessageGroup:
                    group = Encoding.UTF8.GetString(content);
                    break;
                case PropertyKind.TraceContext:
                    trace = Encoding.UTF8.GetString(content);
                    break;
                case PropertyKind.LiteTopic:
                    lite = Encoding.UTF8.GetString(content);
                    break;
                case PropertyKind.Priority:
                    priority = BinaryPrimitives.ReadInt32LittleEndian(content);
                    break;
                default:
                    break;
            }
        }

        return new DeliveredMessage
        {
            Topic = context.Topic,
            QueueId = context.QueueId,
            QueueOffset = context.QueueOffset,
            Position = context.Position,
            MessageId = Encoding.UTF8.GetString(view.Key),
            Type = type,
            Tag = tag,
            Keys = keys ?? (IReadOnlyList<string>)[],
            UserProperties = properties ?? (IReadOnlyList<KeyValuePair<string, string>>)[],
            Body = record.Slice(view.BodyStart, view.Body.Length),
            BodyEncoding = encoding,
            BornTimeMicroseconds = view.BornTime,
            BornHost = bornHost,
            StoreTimeMicroseconds = view.StoreTime,
            MessageGroup = group,
            LiteTopic = lite,
            Priority = priority,
            DeliverAtMicroseconds = view.DeliverAt,
            TraceContext = trace,
            Attempt = context.Attempt,
            ReceiptHandle = context.ReceiptHandle,
            InvisibleDuration = context.InvisibleDuration,
            DeadLetterOrigin = DeadLetterEncoder.ReadOrigin(view),
        };
    }

    private static KeyValuePair<string, string> ReadUserProperty(ReadOnlySpan<byte> content)
    {
        var reader = new Commands.ByteReader(content);
        var key = reader.Text();
        return KeyValuePair.Create(key, Encoding.UTF8.GetString(content[(2 + Encoding.UTF8.GetByteCount(key))..]));
    }
}

/// <summary>What a delivery adds to the stored record.</summary>
internal readonly record struct DeliveryContext(
    string Topic,
    int QueueId,
    QueueOffset QueueOffset,
    LogPosition Position,
    int Attempt,
    string ReceiptHandle,
    TimeSpan InvisibleDuration);
