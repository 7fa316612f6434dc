using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>Reads a log's frames in order and verifies each one against the frame before.</summary>
/// <remarks>
/// For recovery, inspection and scrubbing: one thread, what it reads is not written meanwhile. Frames are valid until
/// the next step. Sectors that cannot be read count as zeros: the frames in them are damaged like any other.
/// </remarks>
internal sealed class FrameScanner
{
    private const int BlockBytes = 1 << 20;
    private const int ReadablePieceBytes = 4096;

    private readonly LogIdentity _identity;
    private readonly ClusterSeed _seed;
    private readonly int _frameBytesMax;
    private Segment[] _segments;
    private ChainTail _tail;
    private byte[] _block = [];
    private LogPosition _blockStart;
    private int _blockLength;

    /// <summary>Begins behind <paramref name="tail"/>.</summary>
    public FrameScanner(Segment[] segments, in ChainTail tail, LogIdentity identity, int frameBytesMax)
    {
        _segments = segments;
        _tail = tail;
        _identity = identity;
        _seed = identity.Seed;
        _frameBytesMax = frameBytesMax;
        _blockStart = tail.End;
    }

    /// <summary>The last valid frame.</summary>
    public ChainTail Tail => _tail;

    /// <summary>The segment that holds the position behind the last valid frame.</summary>
    public Segment? Segment { get; private set; }

    /// <summary>Whether the scan stopped because a segment's header does not continue the frames before it.</summary>
    public bool SegmentsDisagree { get; private set; }

    /// <summary>Whether the bytes where the next frame would begin are zeros: nothing was ever written there.</summary>
    public bool EndsInZeros { get; private set; }

    /// <summary>Goes on with a segment that was found later.</summary>
    public void Add(Segment segment)
    {
        _segments = [.. _segments, segment];

        // What was read ahead came from behind the end of the segment before.
        _blockLength = 0;
    }

    /// <summary>Steps to the next frame; false tells in <paramref name="fault"/> why there is none.</summary>
    public bool TryNext(out FrameView frame, out string? fault)
    {
        frame = default;
        var index = Segment.FindIndex(_segments, _tail.End);
        if (index < 0)
        {
            fault = $"no segment holds position {_tail.End}";
            return false;
        }

        if (!TryEnter(_segments[index], out fault))
        {
            return false;
        }

        var limit = LimitOf(index);
        var bytes = Fill(_tail.End, FrameHeader.Size, limit);
        if (FrameHeader.TryParse(bytes, _seed, _frameBytesMax, out var header, out fault))
        {
            bytes = Fill(_tail.End, header.FrameLength, limit);
            if (FrameReader.TryRead(bytes, _tail, _seed, _frameBytesMax, out frame, out fault))
            {
                _tail = frame.Tail;
                return true;
            }
        }

        EndsInZeros = !bytes[..Math.Min(bytes.Length, FrameHeader.Size)].ContainsAnyExcept((byte)0);
        return false;
    }

    /// <summary>
    /// After a failed step: goes to the next place where a valid frame or a segment with an intact header begins, and
    /// tells what that one continues. False when there is none.
    /// </summary>
    public bool TryResync(out FrameLink link)
    {
        link = default;
        var index = Segment.FindIndex(_segments, _tail.End);
        var from = _tail.End + 8;
        for (; index >= 0 && index < _segments.Length; index++)
        {
            var segment = _segments[index];
            if (segment.Base > _tail.End && !segment.IsHeaderDamaged)
            {
                _tail = segment.Header.BaseTail;
                link = new FrameLink(_tail.HeaderCrc, _tail.FrameLength);
                return true;
            }

            Segment = segment;
            if (TryFindFrame(LogPosition.Max(from, segment.Base), LimitOf(index), out var header))
            {
                link = new FrameLink(header.PreviousHeaderCrc, header.PreviousFrameLength);
                _tail = new ChainTail(
                    header.Base,
                    link.HeaderCrc,
                    link.FrameLength,
                    new Term(Math.Min(_tail.Term.Value, header.Term.Value)),
                    Math.Min(_tail.LogTime, header.LogTime));
                return true;
            }
        }

        return false;
    }

    private bool TryEnter(Segment segment, out string? fault)
    {
        fault = null;
        if (ReferenceEquals(Segment, segment))
        {
            return true;
        }

        Segment = segment;
        if (segment.Base == _tail.End && segment.IsHeaderDamaged)
        {
            segment.RebuildHeader(_tail, _identity);
        }

        SegmentsDisagree = segment.Base == _tail.End && segment.Header.BaseTail != _tail;
        fault = SegmentsDisagree
            ? $"segment '{segment.Path}' continues {segment.Header.BaseTail}, the log ends in {_tail}"
            : null;
        return !SegmentsDisagree;
    }

    /// <summary>
    /// A frame never crosses segments: the next base bounds it, in the last one the length of the file.
    /// </summary>
    private LogPosition LimitOf(int index) => index + 1 < _segments.Length
        ? _segments[index + 1].Base
        : _segments[index].Base + Math.Max(0, _segments[index].File.Length - CommitLogOptions.SegmentHeaderBytes);

    private bool TryFindFrame(LogPosition from, LogPosition limit, out FrameHeader found)
    {
        for (var at = from; at + FrameHeader.Size <= limit; at += 8)
        {
            var bytes = Fill(at, FrameHeader.Size, limit);
            if (bytes.Length < FrameHeader.Size)
            {
                break;
            }

            if (FrameHeader.TryParse(bytes, _seed, _frameBytesMax, out found, out _) && found.Base == at)
            {
                bytes = Fill(at, found.FrameLength, limit);
                if (FrameReader.TryReadAlone(bytes, at, _seed, _frameBytesMax, out _, out _))
                {
                    return true;
                }
            }
        }

        found = default;
        return false;
    }

    /// <summary>The bytes at a position, at least <paramref name="count"/> unless the limit comes first.</summary>
    private ReadOnlySpan<byte> Fill(LogPosition from, int count, LogPosition limit)
    {
        if (from >= limit)
        {
            // A file that was cut off ends before the frames that it once had.
            return [];
        }

        var wanted = (int)Math.Min(count, limit - from);
        if (from < _blockStart || _blockStart + _blockLength < from + wanted)
        {
            // No more than there is to read: a short log does not pay for a long one's block.
            var room = Math.Max(wanted, (int)Math.Min(BlockBytes, limit - from));
            if (_block.Length < room)
            {
                _block = GC.AllocateUninitializedArray<byte>(Math.Max(room, Math.Min(_frameBytesMax, _block.Length * 2)));
            }

            var length = (int)Math.Min(_block.Length, limit - from);
            _blockLength = ReadWhatCanBeRead(Segment!.File, Segment.FileOffset(from), _block.AsSpan(0, length));
            _blockStart = from;
        }

        var start = (int)(from - _blockStart);
        return _block.AsSpan(start, Math.Min(_blockLength - start, (int)Math.Min(int.MaxValue, limit - from)));
    }

    private static int ReadWhatCanBeRead(IDiskFile file, long offset, Span<byte> block)
    {
        try
        {
            return file.Read(offset, block);
        }
        catch (StorageFaultException fault) when (fault.Errno == StorageFaultException.DeviceError)
        {
            // In small pieces below.
        }

        var count = (int)Math.Clamp(file.Length - offset, 0, block.Length);
        for (var at = 0; at < count; at += ReadablePieceBytes)
        {
            var piece = block[at..Math.Min(count, at + ReadablePieceBytes)];
            try
            {
                file.Read(offset + at, piece);
            }
            catch (StorageFaultException fault) when (fault.Errno == StorageFaultException.DeviceError)
            {
                piece.Clear();
            }
        }

        return count;
    }
}
