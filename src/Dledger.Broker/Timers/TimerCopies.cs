using System.Buffers.Binary;
using Dledger.Broker.Messages;
using Dledger.Broker.Routes;
using Dledger.Broker.Topics;
using Dledger.Storage.Records;

namespace Dledger.Broker.Timers;

/// <summary>Makes the copies by which pending messages become visible, or stay pending further on in the log. Any thread.</summary>
internal static class TimerCopies
{
    /// <summary>The copy that joins the message's queue.</summary>
    public static byte[] Fire(in RecordView source, TimerKey key, TopicDirectory topics) =>
        Encode(source, RecordKind.TimerFire, key, origin: null, RouteDecision.Decide(topics, source));

    /// <summary>The copy that waits instead.</summary>
    public static byte[] Relocate(in RecordView source, TimerKey key) =>
        Encode(source, RecordKind.Relocate, key, OriginOf(source, key.Position), places: []);

    /// <summary>Where a pending message lay when it was stored.</summary>
    public static long OriginOf(in RecordView record, long position) =>
        RecordCopy.TryFind(record, PropertyKind.TimerOrigin, out var content)
            ? BinaryPrimitives.ReadInt64LittleEndian(content)
            : position;

    private static byte[] Encode(
        in RecordView source, RecordKind kind, TimerKey key, long? origin, IReadOnlyList<RoutedPlace> places)
    {
        var reference = TimerReference.Encode(key);

        // The time of a moved message is that of its tick; the other ones keep theirs to the microsecond.
        long? deliverAt = source.DeliverAt is { } sent && TimerKey.TickOf(sent) == key.Tick ? null : key.DueAt;
        return RecordCopy.Encode(
            source,
            kind,
            source.TopicId,
            source.QueueId,
            keeps: static property => property is not (PropertyKind.TimerReference or PropertyKind.TimerOrigin),
            added: properties =>
            {
                PropertyWriter.Write(properties, PropertyKind.TimerReference, reference);
                if (origin is { } first)
                {
                    var bytes = new byte[8];
                    BinaryPrimitives.WriteInt64LittleEndian(bytes, first);
                    PropertyWriter.Write(properties, PropertyKind.TimerOrigin, bytes);
                }
            },
            deliverAt,
            places);
    }
}
