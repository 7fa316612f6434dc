using System.IO.Compression;
using System.Security.Cryptography;
using Apache.Rocketmq.V2;
using Dledger.Client.Errors;

namespace Dledger.Client.Consuming;

/// <summary>Reads a delivered message and checks its body against the digest that came with it.</summary>
internal static class MessageDecoder
{
    /// <exception cref="ServerFaultException">The body is not the one that the digest was made of, or not gzip as said.
    /// </exception>
    public static ReceivedMessage Decode(Message message)
    {
        var system = message.SystemProperties;
        return new ReceivedMessage
        {
            MessageId = system.MessageId,
            Topic = message.Topic.Name,
            QueueId = system.QueueId,
            Offset = system.QueueOffset,
            Attempt = system.DeliveryAttempt,
            Body = Unpack(message),
            ReceiptHandle = system.ReceiptHandle,
            Tag = system.HasTag ? system.Tag : null,
            Keys = [.. system.Keys],
            Properties = new Dictionary<string, string>(message.UserProperties),
            MessageGroup = system.HasMessageGroup ? system.MessageGroup : null,
            Priority = system.HasPriority ? system.Priority : null,
            BornTime = system.BornTimestamp?.ToDateTimeOffset() ?? DateTimeOffset.UnixEpoch,
            StoreTime = system.StoreTimestamp?.ToDateTimeOffset(),
        };
    }

    private static ReadOnlyMemory<byte> Unpack(Message message)
    {
        var system = message.SystemProperties;
        var digest = system.BodyDigest;
        if (digest is { Type: DigestType.Md5 } && Convert.ToHexString(MD5.HashData(message.Body.Span)) != digest.Checksum)
        {
            throw Broken(system, "is not the one that its digest was made of");
        }

        if (system.BodyEncoding != Encoding.Gzip)
        {
            return message.Body.Memory;
        }

        try
        {
            using var packed = new GZipStream(new MemoryStream(message.Body.ToByteArray()), CompressionMode.Decompress);
            var unpacked = new MemoryStream();
            packed.CopyTo(unpacked);
            return unpacked.GetBuffer().AsMemory(0, (int)unpacked.Length);
        }
        catch (InvalidDataException)
        {
            throw Broken(system, "is not gzip, though marked so");
        }
    }

    private static ServerFaultException Broken(SystemProperties system, string what) => new(
        $"The body of message {system.MessageId} (queue {system.QueueId}, offset {system.QueueOffset}) {what}.",
        "Check the node's log: dledger log verify <data directory>");
}
