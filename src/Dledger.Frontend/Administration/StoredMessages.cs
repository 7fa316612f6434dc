using Dledger.Broker.Letters;
using Dledger.Broker.Messages;
using Dledger.Frontend.Calls;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Frontend.Administration;

/// <summary>Stored messages on their way to an operator.</summary>
internal static class StoredMessages
{
    public static StoredMessage ToWire(DeliveredMessage message, bool withBody)
    {
        var wire = new StoredMessage
        {
            Topic = message.Topic,
            MessageId = message.MessageId,
            QueueId = message.QueueId,
            QueueOffset = message.QueueOffset.Value,
            LogPosition = message.Position.Value,
            StoreTime = WireTime.ToTimestamp(message.StoreTimeMicroseconds),
            BornTime = WireTime.ToTimestamp(message.BornTimeMicroseconds),
            BornHost = message.BornHost,
            Tag = message.Tag ?? "",
            MessageGroup = message.MessageGroup ?? "",
            Body = withBody ? UnsafeByteOperations.UnsafeWrap(message.Body) : ByteString.Empty,
            BodyIsGzip = message.BodyEncoding == BodyEncoding.Gzip,
            BodyBytes = message.Body.Length,
            Origin = message.DeadLetterOrigin is { } origin
                ? new LetterOrigin
                {
                    Topic = origin.Topic,
                    MessageId = origin.MessageId,
                    QueueId = origin.QueueId,
                    QueueOffset = origin.QueueOffset.Value,
                    Reason = ReasonOf(origin.Reason),
                    Attempts = origin.Attempts,
                    StoreTime = TimeOf(origin.StoredAtMicroseconds),
                    ClientId = origin.ClientId,
                }
                : null,
        };
        wire.Keys.AddRange(message.Keys);
        foreach (var (key, value) in message.UserProperties)
        {
            wire.UserProperties[key] = value;
        }

        return wire;
    }

    public static DeadLetter ToWire(Letter letter, bool withBody) =>
        new() { Message = ToWire(letter.Message, withBody), Resent = letter.IsResent };

    /// <summary>Null where nothing is to be said.</summary>
    public static Timestamp? TimeOf(long microseconds) => microseconds == 0 ? null : WireTime.ToTimestamp(microseconds);

    private static LetterReason ReasonOf(DeadLetterReason reason) => reason switch
    {
        DeadLetterReason.MaxAttempts => LetterReason.AttemptsUsedUp,
        DeadLetterReason.AskedByReceiver => LetterReason.AskedByConsumer,
        DeadLetterReason.DroppedByOperator => LetterReason.DroppedByOperator,
        DeadLetterReason.Expired => LetterReason.TimeToLiveOver,
        _ => LetterReason.Unspecified,
    };
}
