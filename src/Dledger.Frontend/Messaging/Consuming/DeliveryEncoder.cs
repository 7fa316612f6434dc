using Dledger.Broker.Messages;
using Dledger.Frontend.Calls;
using Google.Protobuf;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Consuming;

/// <summary>Turns a delivered message into the frame that clients get. The body is wrapped, not copied.</summary>
/// <remarks>
/// Every field that some client cannot live without is set: the digest (MD5, upper-case hex: the one form all clients
/// agree on), the encoding, both timestamps, the attempt. What the sender left out stays absent, not empty.
/// </remarks>
internal static class DeliveryEncoder
{
    /// <param name="message">As the broker leased it.</param>
    /// <param name="topic">The resource as the client asked for it; goes back unchanged.</param>
    /// <param name="resourceNamespace">The namespace of the client, taken off the origin of dead letters.</param>
    /// <param name="storeHost">Advertised host and port of the node that delivers.</param>
    public static Wire.Message Encode(
        DeliveredMessage message, Wire.Resource topic, string resourceNamespace, string storeHost)
    {
        var system = new Wire.SystemProperties
        {
            MessageId = message.MessageId,
            BodyDigest = new Wire.Digest
            {
                Type = Wire.DigestType.Md5,
                Checksum = BodyDigest.TextOf(message.Body.Span),
            },
            BodyEncoding = message.BodyEncoding == BodyEncoding.Gzip ? Wire.Encoding.Gzip : Wire.Encoding.Identity,
            MessageType = (Wire.MessageType)(int)message.Type,
            BornTimestamp = WireTime.ToTimestamp(message.BornTimeMicroseconds),
            BornHost = message.BornHost,
            StoreTimestamp = WireTime.ToTimestamp(message.StoreTimeMicroseconds),
            StoreHost = storeHost,
            ReceiptHandle = message.ReceiptHandle,
            QueueId = message.QueueId,
            QueueOffset = message.QueueOffset.Value,
            DeliveryAttempt = message.Attempt,
        };
        system.Keys.AddRange(message.Keys);
        if (message.Tag is not null)
        {
            system.Tag = message.Tag;
        }

        if (message.MessageGroup is not null)
        {
            system.MessageGroup = message.MessageGroup;
        }

        // Clients give it back with the receipt handle, which in a dead letter topic it has nothing to do with.
        if (message.LiteTopic is not null && message.DeadLetterOrigin is null)
        {
            system.LiteTopic = message.LiteTopic;
        }

        if (message.Priority is { } priority)
        {
            system.Priority = priority;
        }

        if (message.DeliverAtMicroseconds is { } deliverAt)
        {
            system.DeliveryTimestamp = WireTime.ToTimestamp(deliverAt);
        }

        if (message.TraceContext is not null)
        {
            system.TraceContext = message.TraceContext;
        }

        if (message.DeadLetterOrigin is { } origin)
        {
            system.DeadLetterQueue = new Wire.DeadLetterQueue
            {
                Topic = ResourceNames.WithoutNamespace(origin.Topic, resourceNamespace),
                MessageId = origin.MessageId,
            };
        }

        var encoded = new Wire.Message
        {
            Topic = topic,
            SystemProperties = system,
            Body = UnsafeByteOperations.UnsafeWrap(message.Body),
        };
        foreach (var (key, value) in message.UserProperties)
        {
            encoded.UserProperties[key] = value;
        }

        return encoded;
    }
}
