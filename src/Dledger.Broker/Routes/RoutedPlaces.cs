using System.Buffers.Binary;
using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Routes;

/// <summary>A queue in which a message stands beside its own.</summary>
internal readonly record struct RoutedPlace(int TopicId, int QueueId);

/// <summary>Where a record stands beside its own queue, as the leader decided: read in place.</summary>
/// <remarks>
/// Content of the property <see cref="PropertyKind.RoutedTo"/>, little-endian:
/// <code>
///   0         1              5              9
///   | version | topic id     | queue id     | ... 8 bytes for each place
/// </code>
/// It is the first entry of the property map, so that records without it are told apart by one look.
/// </remarks>
internal readonly ref struct RoutedPlaces
{
    private const byte FormatVersion = 1;
    private const int HeaderBytes = 1;
    private const int BytesEach = 8;

    private readonly ReadOnlySpan<byte> _places;

    private RoutedPlaces(ReadOnlySpan<byte> places) => _places = places;

    public int Count => _places.Length / BytesEach;

    public RoutedPlace this[int index] => new(
        BinaryPrimitives.ReadInt32LittleEndian(_places[(index * BytesEach)..]),
        BinaryPrimitives.ReadInt32LittleEndian(_places[((index * BytesEach) + 4)..]));

    public static RoutedPlaces Of(in RecordView record)
    {
        var entries = new PropertyEnumerator(record.Properties);
        if (record.Properties.IsEmpty || !entries.MoveNext() || entries.Kind != PropertyKind.RoutedTo)
        {
            return default;
        }

        var content = entries.Content;
        Invariant.Check(
            content.Length % BytesEach == HeaderBytes && content[0] == FormatVersion,
            $"the routed places of a record have {content.Length} bytes and are not of version {FormatVersion}");
        return new RoutedPlaces(content[HeaderBytes..]);
    }

    /// <summary>The queue of a topic in which a record stands, be it its own topic or one that it was routed to; -1 without one.</summary>
    public static int QueueOf(in RecordView record, int topicId)
    {
        if (record.TopicId == topicId)
        {
            return record.QueueId;
        }

        var places = Of(record);
        for (var i = 0; i < places.Count; i++)
        {
            if (places[i].TopicId == topicId)
            {
                return places[i].QueueId;
            }
        }

        return -1;
    }

    /// <summary>Bytes of the entry; 0 without places.</summary>
    public static int Measure(IReadOnlyList<RoutedPlace> places) =>
        places.Count == 0 ? 0 : PropertyWriter.EntryHeaderBytes + HeaderBytes + (places.Count * BytesEach);

    /// <summary>Writes the entry, at the beginning of a property map; nothing without places.</summary>
    public static void Write(ByteWriter properties, IReadOnlyList<RoutedPlace> places) =>
        Write(properties.Take(Measure(places)), places);

    /// <summary>The same into a span of exactly its size.</summary>
    public static void Write(Span<byte> entry, IReadOnlyList<RoutedPlace> places)
    {
        if (places.Count == 0)
        {
            return;
        }

        entry[0] = (byte)PropertyKind.RoutedTo;
        BinaryPrimitives.WriteUInt16LittleEndian(entry[1..], checked((ushort)(HeaderBytes + (places.Count * BytesEach))));
        entry[PropertyWriter.EntryHeaderBytes] = FormatVersion;
        entry = entry[(PropertyWriter.EntryHeaderBytes + HeaderBytes)..];
        for (var i = 0; i < places.Count; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(entry[(i * BytesEach)..], places[i].TopicId);
            BinaryPrimitives.WriteInt32LittleEndian(entry[((i * BytesEach) + 4)..], places[i].QueueId);
        }
    }
}
