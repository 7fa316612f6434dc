using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Dledger.Client.Errors;
using static Dledger.Client.Streaming.RecordLayout;

namespace Dledger.Client.Streaming;

/// <summary>A message of a <see cref="StreamDelivery"/>. Texts are read when they are asked for. Valid as long as its delivery.</summary>
public readonly struct StreamedMessage
{
    private readonly ReadOnlyMemory<byte> _record;

    internal StreamedMessage(ReadOnlyMemory<byte> record, int queueId, long offset, int attempt)
    {
        _record = record;
        QueueId = queueId;
        Offset = offset;
        Attempt = attempt;
    }

    /// <summary>Queue of the topic, from 0.</summary>
    public int QueueId { get; }

    /// <summary>Place in the queue, from 0 without a gap.</summary>
    public long Offset { get; }

    /// <summary>1 for the first delivery.</summary>
    public int Attempt { get; }

    /// <summary>As sent; packed when <see cref="IsGzip"/> says so.</summary>
    public ReadOnlyMemory<byte> Body => _record.Slice(
        BodyStart, BinaryPrimitives.ReadInt32LittleEndian(_record.Span[BodyLengthAt..]));

    /// <summary>The body is gzip.</summary>
    public bool IsGzip => Find(EncodingKind) is [2];

    public string MessageId => Encoding.UTF8.GetString(_record.Span.Slice(IdStart, IdLength));

    public string? Tag => Text(TagKind);

    public string? MessageGroup => Text(MessageGroupKind);

    /// <summary>As the producer set it.</summary>
    public int? Priority => Find(PriorityKind) is { Length: sizeof(int) } content ? BinaryPrimitives.ReadInt32LittleEndian(content) : null;

    public IReadOnlyList<string> Keys
    {
        get
        {
            var keys = new List<string>();
            for (var at = 0; TryNext(ref at, out var kind, out var content);)
            {
                if (kind == KeyKind)
                {
                    keys.Add(Encoding.UTF8.GetString(content));
                }
            }

            return keys;
        }
    }

    public IReadOnlyDictionary<string, string> Properties
    {
        get
        {
            var properties = new Dictionary<string, string>(StringComparer.Ordinal);
            for (var at = 0; TryNext(ref at, out var kind, out var content);)
            {
                if (kind == UserKind)
                {
                    var length = BinaryPrimitives.ReadUInt16LittleEndian(content);
                    properties[Encoding.UTF8.GetString(content.Slice(sizeof(ushort), length))] =
                        Encoding.UTF8.GetString(content[(sizeof(ushort) + length)..]);
                }
            }

            return properties;
        }
    }

    /// <summary>Clock of the producer.</summary>
    public DateTimeOffset BornTime => Time(BornTimeAt);

    /// <summary>Time of the log that stored it.</summary>
    public DateTimeOffset StoreTime => Time(StoreTimeAt);

    private int IdStart => HeaderBytes + WordsOf(_record.Span[FlagsAt]);

    private int IdLength => BinaryPrimitives.ReadUInt16LittleEndian(_record.Span[KeyLengthAt..]);

    private int MapStart => IdStart + IdLength;

    private int MapLength => BinaryPrimitives.ReadUInt16LittleEndian(_record.Span[MapLengthAt..]);

    private int BodyStart => MapStart + MapLength;

    /// <summary>The body as it was before it was packed.</summary>
    /// <exception cref="ServerFaultException">It is not gzip, though marked so.</exception>
    public ReadOnlyMemory<byte> ReadBody()
    {
        if (!IsGzip)
        {
            return Body;
        }

        try
        {
            using var packed = new GZipStream(new MemoryStream(Body.ToArray()), CompressionMode.Decompress);
            var unpacked = new MemoryStream();
            packed.CopyTo(unpacked);
            return unpacked.GetBuffer().AsMemory(0, (int)unpacked.Length);
        }
        catch (InvalidDataException)
        {
            throw new ServerFaultException(
                $"The body of message {MessageId} (queue {QueueId}, offset {Offset}) is not gzip, though marked so.",
                "Whoever sent it has to mend it.");
        }
    }

    private string? Text(byte kind) => Find(kind) is { IsEmpty: false } content ? Encoding.UTF8.GetString(content) : null;

    private ReadOnlySpan<byte> Find(byte wanted)
    {
        for (var at = 0; TryNext(ref at, out var kind, out var content);)
        {
            if (kind == wanted)
            {
                return content;
            }
        }

        return [];
    }

    private bool TryNext(scoped ref int at, out byte kind, out ReadOnlySpan<byte> content)
    {
        var map = _record.Span.Slice(MapStart, MapLength);
        if (at >= map.Length)
        {
            kind = 0;
            content = [];
            return false;
        }

        kind = map[at];
        content = map.Slice(at + EntryHeaderBytes, BinaryPrimitives.ReadUInt16LittleEndian(map[(at + 1)..]));
        at += EntryHeaderBytes + content.Length;
        return true;
    }

    private DateTimeOffset Time(int at) => DateTimeOffset.UnixEpoch.AddTicks(
        BinaryPrimitives.ReadInt64LittleEndian(_record.Span[at..]) * TimeSpan.TicksPerMicrosecond);

    private static int WordsOf(byte flags) =>
        ((flags & DeliverAtFlag) == 0 ? 0 : WordBytes)
        + ((flags & GroupHashFlag) == 0 ? 0 : WordBytes)
        + ((flags & TransactionFlag) == 0 ? 0 : WordBytes)
        + ((flags & IdHashFlag) == 0 ? 0 : IdHashBytes);
}
