using Dledger.Broker.Idempotence;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;
using Dledger.Storage.Records;

namespace Dledger.Broker.Streaming;

/// <summary>Records that a client encoded, checked once and for all: what passes may go into the log as it is.</summary>
/// <param name="QueueId">Of all of them.</param>
/// <param name="Sequence">Of the first; null without a producer.</param>
/// <param name="IsPlain">All are messages that are visible as soon as they are stored, and so are what their encoding says.</param>
internal readonly record struct RecordBatch(int QueueId, ProducerSequence? Sequence, bool IsPlain)
{
    private const RecordFlags AllowedFlags = RecordFlags.DeliverAt | RecordFlags.GroupHash | RecordFlags.MessageIdHash;

    /// <summary>Checks a batch for a topic; the first broken rule with the number of the message, or null.</summary>
    /// <param name="records">Back to back.</param>
    /// <param name="count">How many the client says they are.</param>
    /// <param name="topic">As it is now.</param>
    /// <param name="batch">What was found.</param>
    public static BrokerFailure? Check(ReadOnlySpan<byte> records, int count, TopicView topic, out RecordBatch batch)
    {
        batch = default;
        if (count is < 1 or > Limits.BatchCountMax)
        {
            return Broken(BrokenRule.Batch, $"the batch has {count} messages; 1 to {Limits.BatchCountMax} are allowed");
        }

        if (records.Length > Limits.BatchRecordBytesMax)
        {
            return Broken(
                BrokenRule.BodyTooLarge, $"the batch takes {records.Length} bytes; the limit is {Limits.BatchRecordBytesMax}");
        }

        var at = 0;
        var bodyBytes = 0L;
        var isPlain = true;
        RecordHeader first = default;
        for (var index = 0; index < count; index++)
        {
            if (!RecordView.TryParse(records[at..], out var record, out var fault))
            {
                return Broken(BrokenRule.Batch, $"message {index} of the batch is no record: {fault}");
            }

            if (index == 0)
            {
                first = record.Header;
            }

            if (CheckRecord(record, topic, out var type, out var refusal) || CheckNumber(record, first, index, out refusal))
            {
                return refusal!.Value with { Detail = $"message {index} of the batch: {refusal.Value.Detail}" };
            }

            isPlain &= IsPlainType(type);
            bodyBytes += record.Body.Length;
            at += record.Length;
        }

        if (at != records.Length)
        {
            return Broken(BrokenRule.Batch, $"{records.Length - at} bytes follow the {count} messages of the batch");
        }

        if (bodyBytes > Limits.BatchBytesMax)
        {
            return Broken(
                BrokenRule.BodyTooLarge, $"the batch has {bodyBytes} body bytes; the limit is {Limits.BatchBytesMax}");
        }

        ProducerSequence? sequence = first.ProducerId == 0
            ? null
            : new ProducerSequence(first.ProducerId, first.ProducerEpoch, first.Sequence);
        batch = new RecordBatch(first.QueueId, sequence, isPlain);
        return ProducerRules.Check(sequence, count) is { } numbers ? BrokerFailure.Of(numbers) : null;
    }

    private static BrokerFailure Broken(BrokenRule rule, string detail) => BrokerFailure.Of(new Violation(rule, detail));

    // True when it is refused.
    private static bool CheckRecord(in RecordView record, TopicView topic, out MessageType type, out BrokerFailure? refusal)
    {
        type = default;
        refusal = (CheckHeader(record) ?? TextRules.CheckMessageId(record.Key)) is { } violation ? BrokerFailure.Of(violation) : null;
        if (refusal is not null)
        {
            return true;
        }

        if (RecordProperties.Check(record.Properties, out var properties) is { } map)
        {
            refusal = BrokerFailure.Of(map);
            return true;
        }

        type = properties.Type;
        refusal = !topic.AcceptedTypes.Contains(type)
            ? new BrokerFailure(
                BrokerError.MessageTypeMismatch,
                $"the topic '{topic.Name}' accepts {topic.AcceptedTypes} messages, not {type} ones")
            : (CheckType(record, properties) ?? CheckPlace(record, properties, topic)) is { } wrong ? BrokerFailure.Of(wrong)
            : CheckTopic(record, topic) ?? CheckQueue(record, type, topic);
        return refusal is not null;
    }

    private static Violation? CheckHeader(in RecordView record)
    {
        if (record.Kind != RecordKind.Message || (record.Flags & ~AllowedFlags) != 0 || record.StoreTime != 0)
        {
            return new Violation(
                BrokenRule.Batch,
                $"kind {(byte)record.Kind}, flags {(byte)record.Flags}, store time {record.StoreTime} are not those of a message to be stored");
        }

        if (record.Body.IsEmpty)
        {
            return new Violation(BrokenRule.BodyEmpty, "the message body is empty");
        }

        return record.Body.Length > Limits.BodyBytesMax
            ? new Violation(
                BrokenRule.BodyTooLarge,
                $"the message body has {record.Body.Length} bytes; the limit is {Limits.BodyBytesMax}")
            : null;
    }

    // What follows from the type alone; the rest of the rules of the rarer types is checked on the way of their own.
    private static Violation? CheckType(in RecordView record, in RecordProperties properties)
    {
        if (properties.Type == MessageType.Fifo && properties.MessageGroup.IsEmpty)
        {
            return new Violation(BrokenRule.MessageGroup, "a FIFO message has no message group");
        }

        if (properties.Type == MessageType.Delay != record.DeliverAt.HasValue)
        {
            return new Violation(
                BrokenRule.DeliveryTime,
                record.DeliverAt.HasValue
                    ? $"a {properties.Type} message has a delivery time"
                    : "a DELAY message has no delivery time");
        }

        return (properties.Type, properties.Has(PropertyKind.Priority), properties.Has(PropertyKind.LiteTopic)) switch
        {
            (not MessageType.Priority, true, _) => new Violation(
                BrokenRule.MessageTypeConflict, $"a {properties.Type} message has a priority; only PRIORITY messages may"),
            (not MessageType.Lite, _, true) => new Violation(
                BrokenRule.MessageTypeConflict, $"a {properties.Type} message has a lite topic; only LITE messages may"),
            _ => null,
        };
    }

    // The hashes are what consumers, windows and queues go by: they have to be those of the texts.
    private static Violation? CheckPlace(in RecordView record, in RecordProperties properties, TopicView topic)
    {
        var tagHash = properties.Has(PropertyKind.Tag) ? TagHash.OfUtf8(properties.Tag) : TagHash.None;
        if (record.TagHash != tagHash)
        {
            return new Violation(BrokenRule.Tag, $"the tag hash {record.TagHash} is not that of the tag, which is {tagHash}");
        }

        if (topic.IsLite)
        {
            return null;
        }

        long? groupHash = properties.Has(PropertyKind.MessageGroup) ? MessageGroupHash.Of(properties.MessageGroup) : null;
        return record.GroupHash == groupHash
            ? null
            : new Violation(BrokenRule.MessageGroup, "the hash of the message group is not that of the message group");
    }

    private static BrokerFailure? CheckTopic(in RecordView record, TopicView topic)
    {
        if (record.TopicId != topic.Id)
        {
            return Stale(topic, $"the record is for topic {record.TopicId}, which is {topic.Id}");
        }

        if (record.MessageIdHash.HasValue != topic.IdWindow.IsOn)
        {
            return Stale(topic, topic.IdWindow.IsOn ? "records have to carry the hash of their message id" : "records carry no id hash");
        }

        if (record.MessageIdHash is { } hash && hash != MessageIdHash.Of(record.Key))
        {
            return Broken(BrokenRule.MessageId, "the hash of the message id is not that of the message id");
        }

        return null;
    }

    // Where the client chooses the queue it has to know how many there are now.
    private static BrokerFailure? CheckQueue(in RecordView record, MessageType type, TopicView topic)
    {
        if (!StreamedTopic.TakesRecords(topic) || !IsPlainType(type))
        {
            return null;
        }

        if ((uint)record.QueueId >= (uint)topic.QueueCount)
        {
            return Stale(topic, $"it has no queue {record.QueueId}; queues 0 to {topic.QueueCount - 1} exist");
        }

        return record.GroupHash is { } hash && record.QueueId != MessageGroupHash.QueueOf(hash, topic.QueueCount)
            ? Stale(topic, $"the message group belongs to queue {MessageGroupHash.QueueOf(hash, topic.QueueCount)}")
            : null;
    }

    private static bool IsPlainType(MessageType type) => type is MessageType.Normal or MessageType.Fifo;

    private static bool CheckNumber(in RecordView record, in RecordHeader first, int index, out BrokerFailure? refusal)
    {
        refusal = record.QueueId != first.QueueId
            ? Broken(BrokenRule.Batch, $"it is for queue {record.QueueId}, the first one for {first.QueueId}; a batch has one queue")
            : record.ProducerId != first.ProducerId
            || record.ProducerEpoch != first.ProducerEpoch
            || record.Sequence != (first.ProducerId == 0 ? 0 : first.Sequence + index)
                ? Broken(BrokenRule.Sequence, "its producer or number does not follow from that of the first one")
                : null;
        return refusal is not null;
    }

    private static BrokerFailure Stale(TopicView topic, string detail) => new(
        BrokerError.TopicNotFound, $"the topic '{topic.Name}' has changed: {detail}; open it again");
}
