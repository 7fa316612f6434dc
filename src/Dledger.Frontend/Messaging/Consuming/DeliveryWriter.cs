using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Unicode;
using Dledger.Broker.Messages;
using Dledger.Frontend.Calls;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Consuming;

/// <summary>
/// Writes a delivered message as the frame of a receive, from the bytes of its record: the same frame that <see cref="DeliveryEncoder"/>
/// makes, without an object for each field. A test compares the two.
/// </summary>
/// <param name="topic">The encoded resource as the client asked for it; goes back unchanged.</param>
/// <param name="resourceNamespace">The namespace of the client, taken off the origin of dead letters.</param>
/// <param name="storeHost">Advertised host and port of the node that delivers.</param>
internal sealed class DeliveryWriter(byte[] topic, string resourceNamespace, string storeHost)
{
    private DeliveredMessage? _message;
    private DeadLetterOrigin? _origin;
    private int _messageLength;
    private int _systemLength;

    /// <summary>
    /// Takes a message and tells the length of its frame. False when the record holds text that is not UTF-8, which a client of this protocol
    /// could not read: then the decoder has to replace it.
    /// </summary>
    public bool TryMeasure(DeliveredMessage message, out int length)
    {
        length = 0;
        if (!TryLook(message, out var hasOrigin))
        {
            return false;
        }

        _message = message;
        _origin = hasOrigin ? message.DeadLetterOrigin : null;
        var system = FieldWriter.Measuring();
        WriteSystem(ref system);
        _systemLength = system.Length;
        var inner = FieldWriter.Measuring();
        WriteMessage(ref inner);
        _messageLength = inner.Length + message.Body.Length;
        var frame = FieldWriter.Measuring();
        frame.Begin(Wire.ReceiveMessageResponse.MessageFieldNumber, _messageLength);
        length = frame.Length + _messageLength;
        return true;
    }

    /// <summary>Writes the frame of the message that was measured last.</summary>
    public void Write(IBufferWriter<byte> target, int length)
    {
        var body = _message!.Body.Span;
        var head = FieldWriter.Into(target.GetSpan(length - body.Length));
        head.Begin(Wire.ReceiveMessageResponse.MessageFieldNumber, _messageLength);
        WriteMessage(ref head);
        target.Advance(head.Length);
        target.Write(body);
        _message = null;
    }

    private static bool TryLook(DeliveredMessage message, out bool hasOrigin)
    {
        hasOrigin = false;
        var isText = Utf8.IsValid(message.MessageIdUtf8);
        var entry = message.Properties;
        while (entry.MoveNext())
        {
            hasOrigin |= entry.Kind == PropertyKind.DeadLetterTopic;
            if (entry.Kind == PropertyKind.UserProperty)
            {
                PropertyEnumerator.SplitUserProperty(entry.Content, out var key, out var value);
                isText &= Utf8.IsValid(key) && Utf8.IsValid(value);
            }
            else if (IsText(entry.Kind))
            {
                isText &= Utf8.IsValid(entry.Content);
            }
        }

        return isText;
    }

    private static bool IsText(PropertyKind kind) => kind is PropertyKind.Tag or PropertyKind.Key or PropertyKind.BornHost
        or PropertyKind.MessageGroup or PropertyKind.TraceContext or PropertyKind.LiteTopic;

    // The bytes of the body follow.
    private void WriteMessage(ref FieldWriter writer)
    {
        var message = _message!;
        writer.PresentText(Wire.Message.TopicFieldNumber, topic);
        var entry = message.Properties;
        while (entry.MoveNext())
        {
            if (entry.Kind == PropertyKind.UserProperty)
            {
                WriteUserProperty(ref writer, entry.Content);
            }
        }

        writer.Begin(Wire.Message.SystemPropertiesFieldNumber, _systemLength);
        WriteSystem(ref writer);
        if (!message.Body.IsEmpty)
        {
            writer.Begin(Wire.Message.BodyFieldNumber, message.Body.Length);
        }
    }

    private static void WriteUserProperty(ref FieldWriter writer, ReadOnlySpan<byte> content)
    {
        PropertyEnumerator.SplitUserProperty(content, out var key, out var value);
        var entry = FieldWriter.Measuring();
        entry.PresentText(1, key);
        entry.PresentText(2, value);
        writer.Begin(Wire.Message.UserPropertiesFieldNumber, entry.Length);
        writer.PresentText(1, key);
        writer.PresentText(2, value);
    }

    private void WriteSystem(ref FieldWriter writer)
    {
        var message = _message!;
        WriteProperties(ref writer, message);
        writer.Text(Wire.SystemProperties.MessageIdFieldNumber, message.MessageIdUtf8);
        WriteDigest(ref writer, message.Body.Span);
        WriteTime(ref writer, Wire.SystemProperties.BornTimestampFieldNumber, message.BornTimeMicroseconds);
        WriteTime(ref writer, Wire.SystemProperties.StoreTimestampFieldNumber, message.StoreTimeMicroseconds);
        writer.Text(Wire.SystemProperties.StoreHostFieldNumber, storeHost);
        if (message.DeliverAtMicroseconds is { } deliverAt)
        {
            WriteTime(ref writer, Wire.SystemProperties.DeliveryTimestampFieldNumber, deliverAt);
        }

        writer.Begin(Wire.SystemProperties.ReceiptHandleFieldNumber, message.ReceiptHandleLength);
        if (writer.Take(message.ReceiptHandleLength) is { IsEmpty: false } handle)
        {
            message.WriteReceiptHandle(handle);
        }

        writer.Number(Wire.SystemProperties.QueueIdFieldNumber, message.QueueId);
        writer.PresentNumber(Wire.SystemProperties.QueueOffsetFieldNumber, message.QueueOffset.Value);
        writer.PresentNumber(Wire.SystemProperties.DeliveryAttemptFieldNumber, message.Attempt);
        if (_origin is { } origin)
        {
            WriteOrigin(ref writer, origin);
        }
    }

    // Fields may come in any order; of one that comes twice the last counts, as with the decoder.
    private void WriteProperties(ref FieldWriter writer, DeliveredMessage message)
    {
        var type = MessageType.Normal;
        var encoding = BodyEncoding.Identity;
        var entry = message.Properties;
        while (entry.MoveNext())
        {
            var content = entry.Content;
            switch (entry.Kind)
            {
                case PropertyKind.MessageType:
                    type = (MessageType)content[0];
                    break;
                case PropertyKind.BodyEncoding:
                    encoding = (BodyEncoding)content[0];
                    break;
                case PropertyKind.Tag:
                    writer.PresentText(Wire.SystemProperties.TagFieldNumber, content);
                    break;
                case PropertyKind.Key:
                    writer.PresentText(Wire.SystemProperties.KeysFieldNumber, content);
                    break;
                case PropertyKind.BornHost:
                    writer.Text(Wire.SystemProperties.BornHostFieldNumber, content);
                    break;
                case PropertyKind.MessageGroup:
                    writer.PresentText(Wire.SystemProperties.MessageGroupFieldNumber, content);
                    break;
                case PropertyKind.TraceContext:
                    writer.PresentText(Wire.SystemProperties.TraceContextFieldNumber, content);
                    break;
                case PropertyKind.LiteTopic when _origin is null:
                    writer.PresentText(Wire.SystemProperties.LiteTopicFieldNumber, content);
                    break;
                case PropertyKind.Priority:
                    writer.PresentNumber(
                        Wire.SystemProperties.PriorityFieldNumber, BinaryPrimitives.ReadInt32LittleEndian(content));
                    break;
                default:
                    break;
            }
        }

        writer.Number(
            Wire.SystemProperties.BodyEncodingFieldNumber,
            (int)(encoding == BodyEncoding.Gzip ? Wire.Encoding.Gzip : Wire.Encoding.Identity));
        writer.Number(Wire.SystemProperties.MessageTypeFieldNumber, (int)type);
    }

    private static void WriteDigest(ref FieldWriter writer, ReadOnlySpan<byte> body)
    {
        const int TextBytes = 2 * MD5.HashSizeInBytes;
        var digest = FieldWriter.Measuring();
        digest.Number(Wire.Digest.TypeFieldNumber, (int)Wire.DigestType.Md5);
        digest.Begin(Wire.Digest.ChecksumFieldNumber, TextBytes);
        writer.Begin(Wire.SystemProperties.BodyDigestFieldNumber, digest.Length + TextBytes);
        writer.Number(Wire.Digest.TypeFieldNumber, (int)Wire.DigestType.Md5);
        writer.Begin(Wire.Digest.ChecksumFieldNumber, TextBytes);
        if (writer.Take(TextBytes) is { IsEmpty: false } text)
        {
            BodyDigest.Write(body, text);
        }
    }

    private static void WriteTime(ref FieldWriter writer, int field, long microseconds)
    {
        var (seconds, nanos) = WireTime.Split(microseconds);
        var time = FieldWriter.Measuring();
        time.Number(1, seconds);
        time.Number(2, nanos);
        writer.Begin(field, time.Length);
        writer.Number(1, seconds);
        writer.Number(2, nanos);
    }

    private void WriteOrigin(ref FieldWriter writer, in DeadLetterOrigin origin)
    {
        var originTopic = ResourceNames.WithoutNamespace(origin.Topic, resourceNamespace);
        var letter = FieldWriter.Measuring();
        letter.Text(Wire.DeadLetterQueue.TopicFieldNumber, originTopic);
        letter.Text(Wire.DeadLetterQueue.MessageIdFieldNumber, origin.MessageId);
        writer.Begin(Wire.SystemProperties.DeadLetterQueueFieldNumber, letter.Length);
        writer.Text(Wire.DeadLetterQueue.TopicFieldNumber, originTopic);
        writer.Text(Wire.DeadLetterQueue.MessageIdFieldNumber, origin.MessageId);
    }
}
