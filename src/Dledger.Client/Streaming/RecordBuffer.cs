using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Dledger.Client.Producing;
using Dledger.Primitives;
using static Dledger.Client.Streaming.RecordLayout;

namespace Dledger.Client.Streaming;

/// <summary>Records of one batch, encoded when their messages come, addressed when the batch leaves. Not safe for several threads.</summary>
/// <remarks>
/// What only the cluster knows (topic id, queue, numbers, whether ids are hashed) is written into the headers by <see cref="Address"/>, again
/// for each topic that turns out to have changed; then the checksums are made, so each byte is hashed once.
/// </remarks>
internal sealed class RecordBuffer
{
    /// <summary>What is compressed at all; below it the node keeps hardly any batch compressed.</summary>
    private const int CompressedBytesMin = 1_024;

    /// <summary>The part of its bytes that compressing a batch has to save.</summary>
    private const int GainPart = 8;

    private static readonly byte[] HostName = Encoding.UTF8.GetBytes(Environment.MachineName);

    private byte[] _bytes;
    private readonly List<int> _starts = [];
    private bool _hashesIds;

    public RecordBuffer(bool hashesIds, int capacity = 4_096)
    {
        _hashesIds = hashesIds;
        _bytes = GC.AllocateUninitializedArray<byte>(capacity);
    }

    public int Count => _starts.Count;

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    /// <summary>Appends a message.</summary>
    /// <exception cref="ArgumentException">A text is longer than 64 KiB.</exception>
    public void Add(OutgoingMessage message, string messageId, long bornMicroseconds)
    {
        var idBytes = Encoding.UTF8.GetByteCount(messageId);
        var flags = (byte)((message.DeliverAt is null ? 0 : DeliverAtFlag)
            | (OrderKey(message) is null ? 0 : GroupHashFlag)
            | (_hashesIds ? IdHashFlag : 0));
        var mapBytes = MeasureMap(message);
        if (idBytes > TextBytesMax || mapBytes > TextBytesMax)
        {
            throw new ArgumentException($"the properties of the message take {mapBytes} bytes; the limit is {TextBytesMax}", nameof(message));
        }

        var unpadded = HeaderBytes + WordsOf(flags) + idBytes + mapBytes + message.Body.Length;
        var length = (unpadded + 7) & ~7;
        var record = Reserve(length);
        record[..HeaderBytes].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(record, length);
        record[KindAt] = MessageKind;
        record[FlagsAt] = flags;
        BinaryPrimitives.WriteUInt16LittleEndian(record[KeyLengthAt..], (ushort)idBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(record[MapLengthAt..], (ushort)mapBytes);
        BinaryPrimitives.WriteInt32LittleEndian(record[BodyLengthAt..], message.Body.Length);
        BinaryPrimitives.WriteInt64LittleEndian(record[TagHashAt..], message.Tag is { } tag ? RecordHashes.OfTag(tag) : 0);
        BinaryPrimitives.WriteInt64LittleEndian(record[BornTimeAt..], bornMicroseconds);
        var at = HeaderBytes;
        if (message.DeliverAt is { } time)
        {
            BinaryPrimitives.WriteInt64LittleEndian(record[at..], Microseconds(time));
            at += WordBytes;
        }

        if (OrderKey(message) is { } order)
        {
            BinaryPrimitives.WriteInt64LittleEndian(record[at..], RecordHashes.OfMessageGroup(order));
            at += WordBytes;
        }

        var idAt = at + (_hashesIds ? IdHashBytes : 0);
        Encoding.UTF8.GetBytes(messageId, record[idAt..]);
        if (_hashesIds)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(record[at..], RecordHashes.OfMessageId(record.Slice(idAt, idBytes)));
        }

        WriteMap(message, record.Slice(idAt + idBytes, mapBytes));
        message.Body.Span.CopyTo(record[(idAt + idBytes + mapBytes)..]);
        record[unpadded..].Clear();
        _starts.Add(Length);
        Length += length;
    }

    /// <summary>Writes where the records go and what numbers they have; 0 for the producer means none.</summary>
    public void Address(int topicId, int queueId, bool hashesIds, long producerId, int epoch, int firstSequence)
    {
        if (hashesIds != _hashesIds)
        {
            HashIds(hashesIds);
        }

        for (var i = 0; i < _starts.Count; i++)
        {
            var record = _bytes.AsSpan(_starts[i]);
            record = record[..BinaryPrimitives.ReadInt32LittleEndian(record)];
            BinaryPrimitives.WriteInt32LittleEndian(record[TopicIdAt..], topicId);
            BinaryPrimitives.WriteInt32LittleEndian(record[QueueIdAt..], queueId);
            BinaryPrimitives.WriteUInt16LittleEndian(record[EpochAt..], (ushort)epoch);
            BinaryPrimitives.WriteInt64LittleEndian(record[ProducerIdAt..], producerId);
            BinaryPrimitives.WriteInt32LittleEndian(record[SequenceAt..], producerId == 0 ? 0 : firstSequence + i);
            BinaryPrimitives.WriteUInt32LittleEndian(record[CrcAt..], Crc32C.Compute(record[CrcStart..]));
        }
    }

    /// <summary>
    /// The addressed records compressed as a whole, in rented memory; empty when there are too few for that, or they hardly shrink.
    /// </summary>
    public ReadOnlyMemory<byte> Compress(Compression compression, out byte[]? rented)
    {
        rented = null;
        if (Length < CompressedBytesMin)
        {
            return default;
        }

        var room = Length - (Length / GainPart);
        rented = ArrayPool<byte>.Shared.Rent(room);
        return CompressionCodec.TryCompress(compression, _bytes.AsSpan(0, Length), rented.AsSpan(0, room), out var written)
            ? rented.AsMemory(0, written)
            : default;
    }

    /// <summary>Forgets the records and keeps the memory.</summary>
    public void Clear()
    {
        _starts.Clear();
        Length = 0;
    }

    /// <summary>What orders a message; null for one that nothing does.</summary>
    public static string? OrderKey(OutgoingMessage message) => message.MessageGroup ?? message.LiteTopic;

    private static long Microseconds(DateTimeOffset time) => (time.UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    private static int WordsOf(byte flags) =>
        ((flags & DeliverAtFlag) == 0 ? 0 : WordBytes)
        + ((flags & GroupHashFlag) == 0 ? 0 : WordBytes)
        + ((flags & IdHashFlag) == 0 ? 0 : IdHashBytes);

    private static byte TypeOf(OutgoingMessage message) => (byte)(message.DeliverAt is not null ? 3
        : message.LiteTopic is not null ? 5
        : message.Priority is not null ? 6
        : message.MessageGroup is not null ? 2
        : 1);

    private static int MeasureMap(OutgoingMessage message)
    {
        var bytes = (2 * (EntryHeaderBytes + 1)) + EntryHeaderBytes + HostName.Length
            + Measure(message.Tag) + Measure(message.MessageGroup) + Measure(message.LiteTopic)
            + (message.Priority is null ? 0 : EntryHeaderBytes + sizeof(int));
        foreach (var key in message.Keys)
        {
            bytes += Measure(key);
        }

        foreach (var (key, value) in message.Properties)
        {
            bytes += EntryHeaderBytes + sizeof(ushort) + Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value);
        }

        return bytes;
    }

    private static int Measure(string? text) => text is null ? 0 : EntryHeaderBytes + Encoding.UTF8.GetByteCount(text);

    private static void WriteMap(OutgoingMessage message, Span<byte> map)
    {
        Begin(ref map, TypeKind, 1)[0] = TypeOf(message);
        Begin(ref map, EncodingKind, 1)[0] = (byte)(message.IsGzip ? 2 : 1);
        Write(ref map, TagKind, message.Tag);
        foreach (var key in message.Keys)
        {
            Write(ref map, KeyKind, key);
        }

        foreach (var (key, value) in message.Properties)
        {
            var keyBytes = Encoding.UTF8.GetByteCount(key);
            var content = Begin(ref map, UserKind, sizeof(ushort) + keyBytes + Encoding.UTF8.GetByteCount(value));
            BinaryPrimitives.WriteUInt16LittleEndian(content, (ushort)keyBytes);
            Encoding.UTF8.GetBytes(key, content[sizeof(ushort)..]);
            Encoding.UTF8.GetBytes(value, content[(sizeof(ushort) + keyBytes)..]);
        }

        HostName.CopyTo(Begin(ref map, BornHostKind, HostName.Length));
        Write(ref map, MessageGroupKind, message.MessageGroup);
        if (message.Priority is { } priority)
        {
            BinaryPrimitives.WriteInt32LittleEndian(Begin(ref map, PriorityKind, sizeof(int)), priority);
        }

        Write(ref map, LiteTopicKind, message.LiteTopic);
    }

    private static void Write(ref Span<byte> map, byte kind, string? text)
    {
        if (text is not null)
        {
            Encoding.UTF8.GetBytes(text, Begin(ref map, kind, Encoding.UTF8.GetByteCount(text)));
        }
    }

    private static Span<byte> Begin(ref Span<byte> map, byte kind, int length)
    {
        map[0] = kind;
        BinaryPrimitives.WriteUInt16LittleEndian(map[1..], (ushort)length);
        var content = map.Slice(EntryHeaderBytes, length);
        map = map[(EntryHeaderBytes + length)..];
        return content;
    }

    private Span<byte> Reserve(int length)
    {
        if (_bytes.Length - Length < length)
        {
            var larger = GC.AllocateUninitializedArray<byte>(Math.Max(Length + length, _bytes.Length * 2));
            _bytes.AsSpan(0, Length).CopyTo(larger);
            _bytes = larger;
        }

        return _bytes.AsSpan(Length, length);
    }

    // The topic began or ceased to remember message ids while the batch waited.
    private void HashIds(bool hashesIds)
    {
        var old = _bytes.AsSpan(0, Length).ToArray();
        var starts = _starts.ToArray();
        _hashesIds = hashesIds;
        Clear();
        foreach (var start in starts)
        {
            var from = old.AsSpan(start);
            var flags = from[FlagsAt];
            var words = WordsOf((byte)(flags & ~IdHashFlag));
            var restAt = HeaderBytes + WordsOf(flags);
            var id = from.Slice(restAt, BinaryPrimitives.ReadUInt16LittleEndian(from[KeyLengthAt..]));
            var rest = from.Slice(
                restAt,
                id.Length + BinaryPrimitives.ReadUInt16LittleEndian(from[MapLengthAt..]) + BinaryPrimitives.ReadInt32LittleEndian(from[BodyLengthAt..]));
            var headBytes = HeaderBytes + words + (hashesIds ? IdHashBytes : 0);
            var length = (headBytes + rest.Length + 7) & ~7;
            var record = Reserve(length);
            from[..(HeaderBytes + words)].CopyTo(record);
            BinaryPrimitives.WriteInt32LittleEndian(record, length);
            record[FlagsAt] = (byte)(hashesIds ? flags | IdHashFlag : flags & ~IdHashFlag);
            if (hashesIds)
            {
                BinaryPrimitives.WriteUInt128LittleEndian(record[(headBytes - IdHashBytes)..], RecordHashes.OfMessageId(id));
            }

            rest.CopyTo(record[headBytes..]);
            record[(headBytes + rest.Length)..].Clear();
            _starts.Add(Length);
            Length += length;
        }
    }
}
