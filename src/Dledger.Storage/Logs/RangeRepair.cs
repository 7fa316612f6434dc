using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>Checks bytes of a peer against a damaged range and writes them in their place.</summary>
internal static class RangeRepair
{
    private const int BlockBytes = 1 << 20;

    /// <summary>
    /// Checks that whole frames continue the range's good side, and join its other one if they reach it; the fault when
    /// they do not. <paramref name="tail"/> is the last of them.
    /// </summary>
    public static string? FindFault(
        DamagedRange range, ReadOnlySpan<byte> frames, ClusterSeed seed, int frameBytesMax, out ChainTail tail)
    {
        tail = range.Before.GetValueOrDefault();
        if (range.Before is null)
        {
            return $"which frame ends at {range.From} is not known";
        }

        if (frames.Length == 0)
        {
            return "no frames";
        }

        while (frames.Length > 0)
        {
            if (!FrameReader.TryRead(frames, tail, seed, frameBytesMax, out var frame, out var fault))
            {
                return $"at {tail.End}: {fault}";
            }

            tail = frame.Tail;
            frames = frames[frame.Header.FrameLength..];
        }

        if (range.To is { } to && tail.End > to)
        {
            return $"a frame ends at {tail.End}, the log goes on at {to}";
        }

        return tail.End == range.To && new FrameLink(tail.HeaderCrc, tail.FrameLength) != range.After
            ? $"the frame at {tail.End} continues {range.After}, not {tail.HeaderCrc:x8} of {tail.FrameLength} bytes"
            : null;
    }

    /// <summary>Writes checked frames, syncs them and reads them back from the disk.</summary>
    public static void Write(Segment segment, LogPosition from, ReadOnlySpan<byte> frames)
    {
        var offset = segment.FileOffset(from);
        segment.File.Write(offset, frames);
        segment.File.Sync();
        segment.File.DropCache(offset, frames.Length);
        var block = new byte[Math.Min(BlockBytes, frames.Length)];
        for (var at = 0; at < frames.Length; at += block.Length)
        {
            var piece = block.AsSpan(0, Math.Min(block.Length, frames.Length - at));
            if (segment.File.Read(offset + at, piece) < piece.Length
                || !piece.SequenceEqual(frames.Slice(at, piece.Length)))
            {
                throw new DamagedFileException(segment.Path, $"what was written at {from + at} does not read back");
            }
        }
    }

    /// <summary>What is left of a range behind a partial repair; null for nothing.</summary>
    public static DamagedRange? Rest(DamagedRange range, in ChainTail tail) =>
        tail.End == range.To || (range.To is null && tail.End >= range.Minimum)
            ? null
            : range with { From = tail.End, Before = tail };
}
