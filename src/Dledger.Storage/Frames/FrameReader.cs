using Dledger.Primitives;

namespace Dledger.Storage.Frames;

/// <summary>Reads and fully verifies frames. Stateless; any thread.</summary>
public static class FrameReader
{
    /// <summary>
    /// Reads the frame at the start of <paramref name="source"/>, which must continue <paramref name="expected"/>:
    /// header and payload checksums, chain, position, term, log time and commit hint. False tells in <paramref
    /// name="fault"/> what is wrong; nothing of a refused frame may be used.
    /// </summary>
    public static bool TryRead(
        ReadOnlySpan<byte> source,
        scoped in ChainTail expected,
        ClusterSeed seed,
        int frameBytesMax,
        out FrameView frame,
        out string? fault)
    {
        frame = default;
        if (!FrameHeader.TryParse(source, seed, frameBytesMax, out var header, out fault))
        {
            return false;
        }

        fault = header.FindChainFault(expected);
        if (fault is not null)
        {
            return false;
        }

        if (header.FrameLength > source.Length)
        {
            fault = $"the frame has {header.FrameLength} bytes, {source.Length} are there";
            return false;
        }

        var bytes = source[..header.FrameLength];
        fault = FindPayloadFault(header, bytes);
        if (fault is not null)
        {
            return false;
        }

        frame = new FrameView(header, bytes);
        return true;
    }

    /// <summary>
    /// Reads one frame whose place in the chain is not known (a cold read); checks everything but the chain. The
    /// position must be <paramref name="expectedBase"/>.
    /// </summary>
    public static bool TryReadAlone(
        ReadOnlySpan<byte> source,
        LogPosition expectedBase,
        ClusterSeed seed,
        int frameBytesMax,
        out FrameView frame,
        out string? fault)
    {
        frame = default;
        if (!FrameHeader.TryParse(source, seed, frameBytesMax, out var header, out fault))
        {
            return false;
        }

        var before = new ChainTail(
            expectedBase, header.PreviousHeaderCrc, header.PreviousFrameLength, header.Term, header.LogTime);
        return TryRead(source, before, seed, frameBytesMax, out frame, out fault);
    }

    private static string? FindPayloadFault(scoped in FrameHeader header, ReadOnlySpan<byte> bytes)
    {
        var crc = Crc32C.Compute(bytes[FrameHeader.Size..]);
        return crc == header.PayloadCrc
            ? null
            : $"payload checksum {crc:x8} of the frame at {header.Base} is not the stored {header.PayloadCrc:x8}";
    }
}
