using System.Buffers;
using System.Text;
using Dledger.Broker.Filtering;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Broker.Receiving;
using Dledger.Broker.Routes;
using Dledger.Broker.Topics;
using Dledger.Storage.Records;

namespace Dledger.Broker.Messages;

/// <summary>
/// Turns drafts into Message records on the calling thread: measures all, then writes each part where it stays. The body is copied once.
/// </summary>
internal static class MessageEncoder
{
    /// <summary>Batches up to this size keep their lengths on the stack.</summary>
    private const int StackCountMax = 64;

    /// <summary>Encodes a batch into one rented buffer, which is the caller's. The drafts were checked by
    /// <see cref="MessageRules"/>.</summary>
    public static bool TryEncode(
        IReadOnlyList<MessageDraft> drafts,
        TopicView topic,
        int queueId,
        ProducerSequence? sequence,
        TopicDirectory topics,
        out RecordBuffer records,
        out Violation violation)
    {
        var lengths = drafts.Count <= StackCountMax ? stackalloc int[drafts.Count] : new int[drafts.Count];
        if (!TryMeasure(drafts, topic, lengths, out var places, out var length, out violation, queueId, topics))
        {
            records = default;
            return false;
        }

        records = RecordBuffer.Rent(length);
        var at = 0;
        for (var i = 0; i < drafts.Count; i++)
        {
            at += Write(
                drafts[i],
                topic,
                queueId,
                sequence is { } numbered ? numbered with { First = numbered.First + i } : null,
                lengths[i],
                places?[i] ?? [],
                records.Span[at..]);
        }

        return true;
    }

    // Also decides where routes send each message, because that is one of its properties; null for a topic without routes.
    private static bool TryMeasure(
        IReadOnlyList<MessageDraft> drafts,
        TopicView topic,
        Span<int> propertyLengths,
        out IReadOnlyList<RoutedPlace>[]? places,
        out int length,
        out Violation violation,
        int queueId,
        TopicDirectory topics)
    {
        places = topic.Settings.Routes.Count == 0 ? null : new IReadOnlyList<RoutedPlace>[drafts.Count];
        length = 0;
        violation = default;
        long sum = 0;
        for (var i = 0; i < drafts.Count; i++)
        {
            var draft = drafts[i];
            var bytes = PropertyWriter.Measure(draft);
            if (bytes > Limits.EncodedPropertyBytesMax)
            {
                violation = new Violation(
                    BrokenRule.PropertiesTooLarge,
                    $"all properties of the message take {bytes} bytes; the limit is {Limits.EncodedPropertyBytesMax}");
                return false;
            }

            propertyLengths[i] = (int)bytes;
            if (places is not null)
            {
                places[i] = DecideRoutes(draft, propertyLengths[i], topic, queueId, topics);
                propertyLengths[i] += RoutedPlaces.Measure(places[i]);
            }

            sum += RecordHeader.Measure(
                FlagsOf(draft, topic), Encoding.UTF8.GetByteCount(draft.MessageId), propertyLengths[i], draft.Body.Length);
        }

        if (sum > Limits.BatchRecordBytesMax)
        {
            violation = new Violation(
                BrokenRule.PropertiesTooLarge,
                $"the batch takes {sum} bytes with all its properties; the limit is {Limits.BatchRecordBytesMax}");
            return false;
        }

        length = (int)sum;
        return true;
    }

    private static int Write(
        MessageDraft draft,
        TopicView topic,
        int queueId,
        ProducerSequence? sequence,
        int propertiesLength,
        IReadOnlyList<RoutedPlace> places,
        Span<byte> destination)
    {
        var fields = new RecordFields
        {
            Kind = RecordKind.Message,
            TopicId = topic.Id,
            QueueId = queueId,
            TagHash = TagHash.Of(draft.Tag),
            BornTime = draft.BornTimeMicroseconds,
            DeliverAt = draft.DeliverAtMicroseconds,
            GroupHash = draft.OrderKey is { } order ? MessageGroupHash.Of(order) : null,
            MessageIdHash = topic.IdWindow.IsOn ? MessageIdHash.Of(draft.MessageId) : null,
            ProducerId = sequence?.ProducerId ?? 0,
            ProducerEpoch = sequence?.Epoch ?? 0,
            Sequence = sequence?.First ?? 0,
        };
        var record = RecordEncoder.Lay(
            fields, Encoding.UTF8.GetByteCount(draft.MessageId), propertiesLength, draft.Body.Length, destination);
        Encoding.UTF8.GetBytes(draft.MessageId, record.Key);
        var routed = RoutedPlaces.Measure(places);
        RoutedPlaces.Write(record.Properties[..routed], places);
        PropertyWriter.Write(record.Properties[routed..], draft);
        draft.Body.Span.CopyTo(record.Body);
        return record.Close();
    }

    // Routes look at the properties as they are stored.
    private static IReadOnlyList<RoutedPlace> DecideRoutes(
        MessageDraft draft, int propertiesLength, TopicView topic, int queueId, TopicDirectory topics)
    {
        var rented = ArrayPool<byte>.Shared.Rent(propertiesLength);
        var properties = rented.AsSpan(0, propertiesLength);
        PropertyWriter.Write(properties, draft);
        using var id = new Utf8Text(draft.MessageId, stackalloc byte[Utf8Text.StackBytes]);
        long? groupHash = draft.MessageGroup is { } group ? MessageGroupHash.Of(group) : null;
        var places = RouteDecision.Decide(topics, topic, queueId, groupHash, new SqlMessage(properties, id.Bytes));
        ArrayPool<byte>.Shared.Return(rented);
        return places;
    }

    private static RecordFlags FlagsOf(MessageDraft draft, TopicView topic) =>
        (draft.DeliverAtMicroseconds.HasValue ? RecordFlags.DeliverAt : 0)
        | (draft.OrderKey is not null ? RecordFlags.GroupHash : 0)
        | (topic.IdWindow.IsOn ? RecordFlags.MessageIdHash : 0);
}
