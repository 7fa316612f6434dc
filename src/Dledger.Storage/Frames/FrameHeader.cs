using System.Buffers.Binary;
using Dledger.Primitives;

namespace Dledger.Storage.Frames;

/// <summary>The fixed part of a frame, the unit of append and replication.</summary>
/// <remarks>
/// 64 bytes, little-endian; then the payload (records), and zeros up to a multiple of 8:
///   0       4           8            16            20           24     32              36                40
///   | magic | headerCrc | base       | frameLength | payloadCrc | term | prevHeaderCrc | prevFrameLength |
///   40        48           56            60      62        63       64
///   | logTime | commitHint | recordCount | flags | version | leader |
/// headerCrc is CRC-32C over bytes 8..63 seeded with <see cref="ClusterSeed"/>; payloadCrc over bytes
/// 64..frameLength-1. As headerCrc covers payloadCrc and the frame before, it names the whole log up to the frame's
/// end. Frozen by Golden/frame-v1.hex.
/// </remarks>
public readonly record struct FrameHeader
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 64;

    /// <summary>The smallest frame.</summary>
    public const int FrameBytesMin = 72;

    /// <summary>"DLF1".</summary>
    public const uint Magic = 0x31464C44;

    /// <summary>The only version.</summary>
    public const byte Version = 1;

    public uint HeaderCrc { get; init; }

    public LogPosition Base { get; init; }

    /// <summary>Header, payload and padding in bytes; a multiple of 8.</summary>
    public int FrameLength { get; init; }

    public uint PayloadCrc { get; init; }

    public Term Term { get; init; }

    public uint PreviousHeaderCrc { get; init; }

    public int PreviousFrameLength { get; init; }

    /// <summary>Microseconds since the Unix epoch; never decreases along the log.</summary>
    public long LogTime { get; init; }

    /// <summary>The leader's commit position when it cut the frame; at most <see cref="Base"/>.</summary>
    public LogPosition CommitHint { get; init; }

    public int RecordCount { get; init; }

    public FrameFlags Flags { get; init; }

    /// <summary>The leader's node id; diagnostic only.</summary>
    public byte Leader { get; init; }

    /// <summary>Position after the frame.</summary>
    public LogPosition End => Base + FrameLength;

    /// <summary>What Raft needs of it.</summary>
    public FrameSummary Summary => new(Base, FrameLength, Term, Flags, HeaderCrc, PreviousHeaderCrc);

    /// <summary>What the next frame must continue.</summary>
    public ChainTail Tail => new(End, HeaderCrc, FrameLength, Term, LogTime);

    /// <summary>
    /// Reads a header and checks what it can say about itself: magic, version, checksum, lengths. False tells in
    /// <paramref name="fault"/> what is wrong.
    /// </summary>
    public static bool TryParse(
        ReadOnlySpan<byte> source, ClusterSeed seed, int frameBytesMax, out FrameHeader header, out string? fault)
    {
        header = default;
        if (source.Length < Size)
        {
            fault = $"a frame header needs {Size} bytes, {source.Length} are left";
            return false;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic)
        {
            fault = $"no frame magic but {BinaryPrimitives.ReadUInt32LittleEndian(source):x8}";
            return false;
        }

        header = ReadFields(source);
        var crc = Crc32C.Append(seed.Value, source[8..Size]);
        if (crc != header.HeaderCrc)
        {
            fault = $"frame header checksum {crc:x8} is not the stored {header.HeaderCrc:x8}";
        }
        else if (source[62] != Version)
        {
            fault = $"frame version {source[62]}, known is {Version}";
        }
        else if (header.FrameLength < FrameBytesMin
            || header.FrameLength > frameBytesMax
            || header.FrameLength % 8 != 0)
        {
            fault = $"frame length {header.FrameLength} is not a multiple of 8 within {FrameBytesMin}..{frameBytesMax}";
        }
        else
        {
            fault = null;
        }

        return fault is null;
    }

    /// <summary>
    /// Checks that this frame continues a log that ends in <paramref name="tail"/>; null when it does.
    /// </summary>
    public string? FindChainFault(in ChainTail tail)
    {
        if (Base != tail.End)
        {
            return $"frame base {Base}, expected {tail.End}";
        }

        if (PreviousHeaderCrc != tail.HeaderCrc || PreviousFrameLength != tail.FrameLength)
        {
            return $"frame continues {PreviousHeaderCrc:x8} of {PreviousFrameLength} bytes, the log ends in "
                + $"{tail.HeaderCrc:x8} of {tail.FrameLength} bytes";
        }

        if (Term < tail.Term)
        {
            return $"frame term {Term} after term {tail.Term}";
        }

        if (LogTime < tail.LogTime)
        {
            return $"frame log time {LogTime} after {tail.LogTime}";
        }

        return CommitHint > Base || CommitHint < LogPosition.Zero
            ? $"commit hint {CommitHint} of frame at {Base}"
            : null;
    }

    /// <summary>
    /// Writes the 64 bytes and computes headerCrc, which it returns; <see cref="HeaderCrc"/> is not used.
    /// </summary>
    public uint Write(Span<byte> destination, ClusterSeed seed)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], Base.Value);
        BinaryPrimitives.WriteInt32LittleEndian(destination[16..], FrameLength);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[20..], PayloadCrc);
        BinaryPrimitives.WriteInt64LittleEndian(destination[24..], Term.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[32..], PreviousHeaderCrc);
        BinaryPrimitives.WriteInt32LittleEndian(destination[36..], PreviousFrameLength);
        BinaryPrimitives.WriteInt64LittleEndian(destination[40..], LogTime);
        BinaryPrimitives.WriteInt64LittleEndian(destination[48..], CommitHint.Value);
        BinaryPrimitives.WriteInt32LittleEndian(destination[56..], RecordCount);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[60..], (ushort)Flags);
        destination[62] = Version;
        destination[63] = Leader;
        var crc = Crc32C.Append(seed.Value, destination[8..Size]);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], crc);
        return crc;
    }

    private static FrameHeader ReadFields(ReadOnlySpan<byte> source) => new()
    {
        HeaderCrc = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]),
        Base = new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(source[8..])),
        FrameLength = BinaryPrimitives.ReadInt32LittleEndian(source[16..]),
        PayloadCrc = BinaryPrimitives.ReadUInt32LittleEndian(source[20..]),
        Term = new Term(BinaryPrimitives.ReadInt64LittleEndian(source[24..])),
        PreviousHeaderCrc = BinaryPrimitives.ReadUInt32LittleEndian(source[32..]),
        PreviousFrameLength = BinaryPrimitives.ReadInt32LittleEndian(source[36..]),
        LogTime = BinaryPrimitives.ReadInt64LittleEndian(source[40..]),
        CommitHint = new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(source[48..])),
        RecordCount = BinaryPrimitives.ReadInt32LittleEndian(source[56..]),
        Flags = (FrameFlags)BinaryPrimitives.ReadUInt16LittleEndian(source[60..]),
        Leader = source[63],
    };
}
