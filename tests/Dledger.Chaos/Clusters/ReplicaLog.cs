using System.Buffers.Binary;
using System.Text;
using Dledger.Chaos.Histories;

namespace Dledger.Chaos.Clusters;

/// <summary>Reads the log files of a stopped node, by the documented format and without any code of the product.</summary>
/// <remarks>
/// Walks frame by frame from position 0: every frame must name the one before it and carry a right payload check sum. The
/// n-th message record of a queue that is no repeat of a numbered producer has queue offset n. Format: src/Dledger.Storage/Logs/FORMAT.md.
/// </remarks>
internal sealed class ReplicaLog
{
    private const int PageBytes = 4096;
    private const int FrameHeadBytes = 64;
    private const int RecordHeadBytes = 64;
    private const byte MessageKind = 1;
    private const byte BatchKind = 3;
    private const int BatchHeadBytes = 16;
    private const int RowBytes = 24;
    private const int KeyBytes = 8;

    // The number of the topic that the run has created; dead letter topics come later.
    private const int FirstTopic = 1;

    private readonly Dictionary<(long Producer, int Epoch, int Topic), int> _lastNumbers = [];
    private readonly Dictionary<(int Topic, int Queue), long> _next = [];

    private ReplicaLog()
    {
    }

    /// <summary>Messages that say they were sent to a topic of ours, by that topic.</summary>
    public List<(string Topic, Delivery Message)> Messages { get; } = [];

    /// <summary>Position, term and header check sum of every frame.</summary>
    public List<(long Position, long Term, uint Sum)> Frames { get; } = [];

    /// <summary>Where the walk ended.</summary>
    public long End { get; private set; }

    /// <summary>Where a restart begins to read: the position of the newest log checkpoint, or 0.</summary>
    public long Checkpoint { get; private set; }

    /// <summary>Below it an invalid frame is damage; at or above it, an interrupted write.</summary>
    public long Floor { get; private set; }

    /// <summary>The segments of a directory, by the position of their first frame.</summary>
    public static SortedDictionary<long, string> Segments(string dataDirectory)
    {
        var segments = new SortedDictionary<long, string>();
        foreach (var file in Directory.EnumerateFiles(dataDirectory, "*", SearchOption.AllDirectories))
        {
            var head = new byte[64];
            using var stream = File.OpenRead(file);
            if (stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length
                && Encoding.ASCII.GetString(head, 0, 8) == "DLSEG001")
            {
                segments[BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(48))] = file;
            }
        }

        return segments;
    }

    /// <exception cref="ChaosException">There is no log that begins at position 0.</exception>
    public static ReplicaLog Read(string dataDirectory)
    {
        var segments = Segments(dataDirectory);
        var log = new ReplicaLog();
        log.ReadMarks(dataDirectory, segments);
        foreach (var (position, file) in segments)
        {
            if (position != log.End)
            {
                break;
            }

            log.ReadSegment(File.ReadAllBytes(file));
        }

        return log.Frames.Count > 0 ? log : throw new ChaosException($"no log begins at 0 in {dataDirectory}");
    }

    /// <summary>Reads checkpoint and watermark, of each the one with the highest sequence; their check sums are taken as right.
    /// </summary>
    private void ReadMarks(string dataDirectory, SortedDictionary<long, string> segments)
    {
        var sequence = -1L;
        foreach (var file in Directory.EnumerateFiles(dataDirectory, "checkpoint.?", SearchOption.AllDirectories))
        {
            var bytes = File.ReadAllBytes(file).AsSpan();
            if (bytes.Length >= 72 && bytes.StartsWith("DLCKPT01"u8)
                && BinaryPrimitives.ReadInt64LittleEndian(bytes[56..]) is var number && number > sequence)
            {
                (sequence, Checkpoint) = (number, BinaryPrimitives.ReadInt64LittleEndian(bytes[64..]));
            }
        }

        Floor = Math.Max(Checkpoint, segments.Keys.DefaultIfEmpty().Max());
        sequence = -1;
        foreach (var file in segments.Values)
        {
            using var stream = File.OpenRead(file);
            var page = new byte[PageBytes];
            stream.ReadExactly(page);
            foreach (var slot in new[] { 1024, 2048 })
            {
                var number = BinaryPrimitives.ReadInt64LittleEndian(page.AsSpan(slot));
                if (number > sequence)
                {
                    sequence = number;
                    Floor = Math.Max(
                        Math.Max(Checkpoint, segments.Keys.Max()), BinaryPrimitives.ReadInt64LittleEndian(page.AsSpan(slot + 8)));
                }
            }
        }
    }

    private void ReadSegment(byte[] bytes)
    {
        for (var at = PageBytes; at + FrameHeadBytes <= bytes.Length;)
        {
            var frame = bytes.AsSpan(at);
            var length = BinaryPrimitives.ReadInt32LittleEndian(frame[16..]);
            if (!frame.StartsWith("DLF1"u8)
                || BinaryPrimitives.ReadInt64LittleEndian(frame[8..]) != End
                || length < FrameHeadBytes || length > frame.Length
                || (Frames.Count > 0 && BinaryPrimitives.ReadUInt32LittleEndian(frame[32..]) != Frames[^1].Sum)
                || BinaryPrimitives.ReadUInt32LittleEndian(frame[20..])
                    != Crc.Of(frame[FrameHeadBytes..length], Crc.Castagnoli))
            {
                return;
            }

            Frames.Add((
                End, BinaryPrimitives.ReadInt64LittleEndian(frame[24..]), BinaryPrimitives.ReadUInt32LittleEndian(frame[4..])));
            ReadRecords(frame[FrameHeadBytes..length], BinaryPrimitives.ReadInt32LittleEndian(frame[56..]));
            at += length;
            End += length;
        }
    }

    private void ReadRecords(ReadOnlySpan<byte> payload, int count)
    {
        for (var n = 0; n < count && payload.Length >= RecordHeadBytes; n++)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(payload);
            if (length < RecordHeadBytes || length > payload.Length)
            {
                return;
            }

            if (payload[16] == MessageKind && IsNew(payload, 0))
            {
                ReadMessage(payload[..length], PlaceOf(payload));
            }
            else if (payload[16] == BatchKind)
            {
                ReadBatch(payload[..length]);
            }

            payload = payload[length..];
        }
    }

    // Topic, queue and producer stand in the head of the batch; the records are compressed behind a table.
    private void ReadBatch(ReadOnlySpan<byte> batch)
    {
        var body = batch[RecordHeadBytes..];
        var count = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
        var keyCount = BinaryPrimitives.ReadInt32LittleEndian(body[12..]);
        var block = body[(BatchHeadBytes + (count * RowBytes) + (keyCount * KeyBytes))..][..^Padding(batch)];
        var records = Unpacked.Of(body[0], block, BinaryPrimitives.ReadInt32LittleEndian(body[8..]));
        for (var index = 0; index < count; index++)
        {
            var row = body[(BatchHeadBytes + (index * RowBytes))..];
            var start = BinaryPrimitives.ReadInt32LittleEndian(row[4..]);
            var length = BinaryPrimitives.ReadInt32LittleEndian(row[8..]);
            if (IsNew(batch, index))
            {
                ReadMessage(records is null ? [] : records.AsSpan(start, length), PlaceOf(batch));
            }
        }
    }

    // A producer that numbers its messages repeats them into the log; only the next number has a place in a queue.
    private bool IsNew(ReadOnlySpan<byte> record, int index)
    {
        var producer = (
            BinaryPrimitives.ReadInt64LittleEndian(record[40..]),
            BinaryPrimitives.ReadUInt16LittleEndian(record[22..]),
            BinaryPrimitives.ReadInt32LittleEndian(record[24..]));
        if (producer.Item1 == 0)
        {
            return true;
        }

        var sequence = BinaryPrimitives.ReadInt32LittleEndian(record[36..]) + index;
        if (sequence != _lastNumbers.GetValueOrDefault(producer) + 1)
        {
            return false;
        }

        _lastNumbers[producer] = sequence;
        return true;
    }

    private static int Padding(ReadOnlySpan<byte> record) =>
        record.Length - RecordHeadBytes - BinaryPrimitives.ReadInt32LittleEndian(record[32..]);

    private static (int Topic, int Queue) PlaceOf(ReadOnlySpan<byte> record) =>
        (BinaryPrimitives.ReadInt32LittleEndian(record[24..]), BinaryPrimitives.ReadInt32LittleEndian(record[28..]));

    /// <param name="record">Empty when it could not be unpacked.</param>
    /// <param name="queue">Where it has the next offset.</param>
    private void ReadMessage(ReadOnlySpan<byte> record, (int Topic, int Queue) queue)
    {
        var offset = _next.GetValueOrDefault(queue);
        _next[queue] = offset + 1;
        var (id, topic, isWhole) = ("", "", false);
        if (record.Length >= RecordHeadBytes)
        {
            var flags = record[17];
            var body = RecordHeadBytes
                + ((flags & 1) != 0 ? 8 : 0) + ((flags & 2) != 0 ? 8 : 0) + ((flags & 4) != 0 ? 8 : 0) + ((flags & 8) != 0 ? 16 : 0)
                + BinaryPrimitives.ReadUInt16LittleEndian(record[18..])
                + BinaryPrimitives.ReadUInt16LittleEndian(record[20..]);
            var length = BinaryPrimitives.ReadInt32LittleEndian(record[32..]);
            isWhole = body + length <= record.Length && MessageBody.TryDecode(record.Slice(body, length), out id, out topic);
        }

        var name = queue.Topic == FirstTopic && isWhole ? topic : isWhole ? $"#{queue.Topic}" : "";
        Messages.Add((name, Delivery.Final(queue.Queue, offset, id, isWhole)));
    }
}
