using Dledger.Broker.Commands;
using Dledger.Broker.Routes;
using Dledger.Storage.Records;

namespace Dledger.Broker.Messages;

/// <summary>Makes the record by which a stored message appears in another place of the log or in another topic.</summary>
/// <remarks>
/// What becomes visible later than it was stored (dead letters, due timers, committed transactions) is copied, so that positions rise
/// along every queue and retention counts from then on: decision 0009.
/// </remarks>
internal static class RecordCopy
{
    /// <summary>
    /// A record of <paramref name="kind"/> with tag, keys, user properties, id, born time and body of a stored one, addressed to a
    /// queue.
    /// </summary>
    /// <param name="source">The stored record.</param>
    /// <param name="kind">What the copy is.</param>
    /// <param name="topicId">Where it goes.</param>
    /// <param name="queueId">Its queue.</param>
    /// <param name="keeps">Which properties of the source stay; null: all.</param>
    /// <param name="added">Adds properties of the copy; null: none.</param>
    /// <param name="deliverAt">The copy's delivery time, where it is another; null: that of the source.</param>
    /// <param name="places">Other queues that the copy joins; those of the source never count for it.</param>
    public static byte[] Encode(
        in RecordView source,
        RecordKind kind,
        int topicId,
        int queueId,
        Predicate<PropertyKind>? keeps = null,
        Action<ByteWriter>? added = null,
        long? deliverAt = null,
        IReadOnlyList<RoutedPlace>? places = null)
    {
        var properties = new ByteWriter(source.Properties.Length + 128);
        RoutedPlaces.Write(properties, places ?? []);
        var entries = new PropertyEnumerator(source.Properties);
        while (entries.MoveNext())
        {
            if (entries.Kind != PropertyKind.RoutedTo && (keeps is null || keeps(entries.Kind)))
            {
                PropertyWriter.Write(properties, entries.Kind, entries.Content);
            }
        }

        added?.Invoke(properties);
        var fields = new RecordFields
        {
            Kind = kind,
            TopicId = topicId,
            QueueId = queueId,
            TagHash = source.TagHash,
            BornTime = source.BornTime,
            DeliverAt = deliverAt ?? source.DeliverAt,
            GroupHash = source.GroupHash,
        };
        return RecordEncoder.Encode(fields, source.Key, properties.Written.Span, source.Body);
    }

    /// <summary>The content of a record's first property of a kind; false when it has none.</summary>
    public static bool TryFind(in RecordView record, PropertyKind kind, out ReadOnlySpan<byte> content)
    {
        var entries = new PropertyEnumerator(record.Properties);
        while (entries.MoveNext())
        {
            if (entries.Kind == kind)
            {
                content = entries.Content;
                return true;
            }
        }

        content = default;
        return false;
    }
}
