using System.Buffers;
using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Filtering;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;
using Dledger.Broker.Routes;
using Dledger.Broker.Topics;
using Dledger.Storage.Records;

namespace Dledger.Broker.Messages;

/// <summary>Turns drafts into Message records on the calling thread; the body is copied once.</summary>
internal static class MessageEncoder
{
    /// <summary>Encodes a batch into one buffer. The drafts were checked by <see cref="MessageRules"/>.</summary>
    public static bool TryEncode(
        IReadOnlyList<MessageDraft> drafts,
        TopicView topic,
        int queueId,
        ProducerSequence? sequence,
        TopicDirectory topics,
        out byte[] records,
        out Violation violation)
    {
        records = [];
        violation = default;
        var properties = new ByteWriter(256);
        var ends = new int[drafts.Count];
        long length = 0;
        for (var i = 0; i < drafts.Count; i++)
        {
            if (PropertyWriter.Measure(drafts[i]) is > Limits.EncodedPropertyBytesMax and var bytes)
            {
                violation = new Violation(
                    BrokenRule.PropertiesTooLarge,
                    $"all properties of the message take {bytes} bytes; the limit is {Limits.EncodedPropertyBytesMax}");
                return false;
            }

            WriteProperties(properties, drafts[i], topic, queueId, topics);
            ends[i] = properties.Length;
            length += RecordEncoder.Measure(
                Fields(drafts[i], topic, queueId, topic.IdWindow.IsOn ? UInt128.Zero : null, null),
                Encoding.UTF8.GetByteCount(drafts[i].MessageId),
                ends[i] - (i == 0 ? 0 : ends[i - 1]),
                drafts[i].Body.Length);
        }

        if (length > Limits.BatchRecordBytesMax)
        {
            violation = new Violation(
                BrokenRule.PropertiesTooLarge,
                $"the batch takes {length} bytes with all its properties; the limit is {Limits.BatchRecordBytesMax}");
            return false;
        }

        records = GC.AllocateUninitializedArray<byte>((int)length);
        var key = ArrayPool<byte>.Shared.Rent(Limits.MessageIdBytesMax);
        var at = 0;
        for (var i = 0; i < drafts.Count; i++)
        {
            var keyLength = Encoding.UTF8.GetBytes(drafts[i].MessageId, key);
            at += RecordEncoder.Encode(
                Fields(
                    drafts[i],
                    topic,
                    queueId,
                    topic.IdWindow.IsOn ? MessageIdHash.Of(drafts[i].MessageId) : null,
                    sequence is { } numbered ? numbered with { First = numbered.First + i } : null),
                key.AsSpan(0, keyLength),
                properties.Written.Span[(i == 0 ? 0 : ends[i - 1])..ends[i]],
                drafts[i].Body.Span,
                records.AsSpan(at));
        }

        ArrayPool<byte>.Shared.Return(key);
        return true;
    }

    // What routes decide is written before what they look at.
    private static void WriteProperties(
        ByteWriter properties, MessageDraft draft, TopicView topic, int queueId, TopicDirectory topics)
    {
        if (topic.Settings.Routes.Count == 0)
        {
            PropertyWriter.Write(properties, draft);
            return;
        }

        var own = new ByteWriter(256);
        PropertyWriter.Write(own, draft);
        var message = new SqlMessage(own.Written.Span, Encoding.UTF8.GetBytes(draft.MessageId));
        long? groupHash = draft.MessageGroup is { } group ? MessageGroupHash.Of(group) : null;
        RoutedPlaces.Write(properties, RouteDecision.Decide(topics, topic, queueId, groupHash, message));
        properties.Bytes(own.Written.Span);
    }

    private static RecordFields Fields(
        MessageDraft draft, TopicView topic, int queueId, UInt128? idHash, ProducerSequence? sequence) => new()
        {
            Kind = RecordKind.Message,
            TopicId = topic.Id,
            QueueId = queueId,
            TagHash = TagHash.Of(draft.Tag),
            BornTime = draft.BornTimeMicroseconds,
            DeliverAt = draft.DeliverAtMicroseconds,
            GroupHash = draft.OrderKey is { } order ? MessageGroupHash.Of(order) : null,
            MessageIdHash = idHash,
            ProducerId = sequence?.ProducerId ?? 0,
            ProducerEpoch = sequence?.Epoch ?? 0,
            Sequence = sequence?.First ?? 0,
        };
}
