using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>Reads a log's frames in order and verifies each one against the frame before.</summary>
/// <remarks>
/// For recovery and inspection: one thread, files not written meanwhile. Frames are valid until the next step.
/// </remarks>
internal sealed class FrameScanner
{
    private const int BlockBytes = 1 << 20;

    private readonly Segment[] _segments;
    private readonly ClusterSeed _seed;
    private readonly int _frameBytesMax;
    private ChainTail _tail;
    private byte[] _block = new byte[BlockBytes];
    private LogPosition _blockStart;
    private int _blockLength;

    /// <summary>Begins behind <paramref name="tail"/>.</summary>
    public FrameScanner(Segment[] segments, in ChainTail tail, ClusterSeed seed, int frameBytesMax)
    {
        _segments = segments;
        _tail = tail;
        _seed = seed;
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

        if (!ReferenceEquals(Segment, _segments[index]))
        {
            Segment = _segments[index];
            if (Segment.Base == _tail.End && Segment.Header.BaseTail != _tail)
            {
                SegmentsDisagree = true;
                fault = $"segment '{Segment.Path}' continues {Segment.Header.BaseTail}, the log ends in {_tail}";
                return false;
            }
        }

        // A frame never crosses segments: the next base bounds it, in the last one the length of the file.
        var limit = index + 1 < _segments.Length
            ? _segments[index + 1].Base
            : Segment.Base + Math.Max(0, Segment.File.Length - CommitLogOptions.SegmentHeaderBytes);
        var bytes = Fill(FrameHeader.Size, limit);
        if (FrameHeader.TryParse(bytes, _seed, _frameBytesMax, out var header, out fault))
        {
            bytes = Fill(header.FrameLength, limit);
            if (FrameReader.TryRead(bytes, _tail, _seed, _frameBytesMax, out frame, out fault))
            {
                _tail = frame.Tail;
                return true;
            }
        }

        EndsInZeros = !bytes[..Math.Min(bytes.Length, FrameHeader.Size)].ContainsAnyExcept((byte)0);
        return false;
    }

    /// <summary>The bytes at the tail's end, at least <paramref name="count"/> unless the limit comes first.</summary>
    private ReadOnlySpan<byte> Fill(int count, LogPosition limit)
    {
        var from = _tail.End;
        var wanted = (int)Math.Min(count, limit - from);
        if (from < _blockStart || _blockStart + _blockLength < from + wanted)
        {
            if (_block.Length < wanted)
            {
                _block = new byte[Math.Max(wanted, Math.Min(_frameBytesMax, _block.Length * 2))];
            }

            var length = (int)Math.Min(_block.Length, limit - from);
            _blockLength = Segment!.File.Read(Segment.FileOffset(from), _block.AsSpan(0, length));
            _blockStart = from;
        }

        var start = (int)(from - _blockStart);
        return _block.AsSpan(start, Math.Min(_blockLength - start, (int)Math.Min(int.MaxValue, limit - from)));
    }
}
