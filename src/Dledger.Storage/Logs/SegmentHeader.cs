using System.Buffers.Binary;
using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>What the first 512 bytes of a segment's header page say.</summary>
internal enum SegmentHeaderState
{
    /// <summary>The header of a segment in use.</summary>
    Valid,

    /// <summary>Zero magic: the file holds no part of the log.</summary>
    Spare,

    /// <summary>Its frames were cut off or expired; the file may be deleted.</summary>
    Retired,

    /// <summary>None of these: the header was destroyed.</summary>
    Damaged,

    /// <summary>Intact, but of a version that this software does not know.</summary>
    UnknownVersion,
}

/// <summary>The first sector of a segment: whose it is and which frame its first frame continues.</summary>
/// <remarks>
/// Little-endian, in a page of 4096 bytes:
///   0       8           12        16          32          48        56         64        68            72
///   | magic | headerCrc | version | clusterId | storageId | segBase | baseTerm | baseCrc | basePrevLen |
///   72            80           88      92    ...    1024                2048
///   | baseLogTime | useCounter | flags | zero | ... | watermark slot 0  | watermark slot 1 |
/// headerCrc covers bytes 12..511, one sector, so it is written whole or not at all. flags bit 0: the file was written
/// with zeros before its first use. Frozen by Golden/segmentheader-v1.hex.
/// </remarks>
internal readonly record struct SegmentHeader
{
    /// <summary>Bytes that are written in one piece.</summary>
    public const int SectorBytes = 512;

    /// <summary>"DLSEG001".</summary>
    public const ulong Magic = 0x3130304745534C44;

    /// <summary>"DLRETIRE": put over the magic before a segment is deleted.</summary>
    public const ulong RetiredMagic = 0x4552495445524C44;

    private const uint Version = 1;
    private const int CrcStart = 12;

    public required Guid ClusterId { get; init; }

    public required Guid StorageId { get; init; }

    /// <summary>Position of the first frame.</summary>
    public required LogPosition Base { get; init; }

    /// <summary>Term of the frame that ends at <see cref="Base"/>.</summary>
    public required Term BaseTerm { get; init; }

    /// <summary>Its header checksum.</summary>
    public required uint BaseHeaderCrc { get; init; }

    /// <summary>Its length.</summary>
    public required int BaseFrameLength { get; init; }

    /// <summary>Its log time.</summary>
    public required long BaseLogTime { get; init; }

    /// <summary>How often the file was used as a segment.</summary>
    public required long UseCounter { get; init; }

    /// <summary>Whether the file was written with zeros before use.</summary>
    public required bool ZeroFilled { get; init; }

    /// <summary>The chain that the first frame continues.</summary>
    public ChainTail BaseTail => new(Base, BaseHeaderCrc, BaseFrameLength, BaseTerm, BaseLogTime);

    /// <summary>The header of a segment that begins behind <paramref name="tail"/>.</summary>
    public static SegmentHeader After(
        in ChainTail tail, LogIdentity identity, bool zeroFilled, long useCounter = 1) => new()
        {
            ClusterId = identity.ClusterId,
            StorageId = identity.StorageId,
            Base = tail.End,
            BaseTerm = tail.Term,
            BaseHeaderCrc = tail.HeaderCrc,
            BaseFrameLength = tail.FrameLength,
            BaseLogTime = tail.LogTime,
            UseCounter = useCounter,
            ZeroFilled = zeroFilled,
        };

    /// <summary>
    /// Reads the first sector. <paramref name="fault"/> is set only for <see cref="SegmentHeaderState.Damaged"/> and
    /// <see cref="SegmentHeaderState.UnknownVersion"/>.
    /// </summary>
    public static SegmentHeaderState Parse(ReadOnlySpan<byte> sector, out SegmentHeader header, out string? fault)
    {
        header = default;
        fault = null;
        var magic = BinaryPrimitives.ReadUInt64LittleEndian(sector);
        if (magic is 0 or RetiredMagic)
        {
            return magic == 0 ? SegmentHeaderState.Spare : SegmentHeaderState.Retired;
        }

        var crc = Crc32C.Compute(sector[CrcStart..SectorBytes]);
        if (magic != Magic)
        {
            fault = $"no segment magic but {magic:x16}";
        }
        else if (crc != BinaryPrimitives.ReadUInt32LittleEndian(sector[8..]))
        {
            fault = $"segment header checksum {crc:x8} is not the stored one";
        }
        else if (BinaryPrimitives.ReadUInt32LittleEndian(sector[12..]) != Version)
        {
            fault = $"segment version {BinaryPrimitives.ReadUInt32LittleEndian(sector[12..])}, known is {Version}";
        }

        if (fault is not null)
        {
            return magic == Magic && crc == BinaryPrimitives.ReadUInt32LittleEndian(sector[8..])
                ? SegmentHeaderState.UnknownVersion
                : SegmentHeaderState.Damaged;
        }

        header = new SegmentHeader
        {
            ClusterId = new Guid(sector.Slice(16, 16), bigEndian: true),
            StorageId = new Guid(sector.Slice(32, 16), bigEndian: true),
            Base = new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(sector[48..])),
            BaseTerm = new Term(BinaryPrimitives.ReadInt64LittleEndian(sector[56..])),
            BaseHeaderCrc = BinaryPrimitives.ReadUInt32LittleEndian(sector[64..]),
            BaseFrameLength = BinaryPrimitives.ReadInt32LittleEndian(sector[68..]),
            BaseLogTime = BinaryPrimitives.ReadInt64LittleEndian(sector[72..]),
            UseCounter = BinaryPrimitives.ReadInt64LittleEndian(sector[80..]),
            ZeroFilled = (sector[88] & 1) != 0,
        };
        return SegmentHeaderState.Valid;
    }

    /// <summary>Writes the sector that marks a file as no longer part of the log.</summary>
    public static void WriteRetired(Span<byte> sector)
    {
        sector[..SectorBytes].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(sector, RetiredMagic);
    }

    /// <summary>Writes the page of a spare; only the use counter stays.</summary>
    public static void WriteSpare(Span<byte> page, long useCounter)
    {
        page[..CommitLogOptions.SegmentHeaderBytes].Clear();
        BinaryPrimitives.WriteInt64LittleEndian(page[80..], useCounter);
    }

    /// <summary>How often the file of a spare's page was used as a segment.</summary>
    public static long ReadSpareUseCounter(ReadOnlySpan<byte> page) =>
        Math.Max(0, BinaryPrimitives.ReadInt64LittleEndian(page[80..]));

    /// <summary>Writes the whole header page except the watermark slots, which stay zero.</summary>
    public void Write(Span<byte> page)
    {
        page[..CommitLogOptions.SegmentHeaderBytes].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(page, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(page[12..], Version);
        ClusterId.TryWriteBytes(page[16..], bigEndian: true, out _);
        StorageId.TryWriteBytes(page[32..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(page[48..], Base.Value);
        BinaryPrimitives.WriteInt64LittleEndian(page[56..], BaseTerm.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(page[64..], BaseHeaderCrc);
        BinaryPrimitives.WriteInt32LittleEndian(page[68..], BaseFrameLength);
        BinaryPrimitives.WriteInt64LittleEndian(page[72..], BaseLogTime);
        BinaryPrimitives.WriteInt64LittleEndian(page[80..], UseCounter);
        page[88] = ZeroFilled ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32LittleEndian(page[8..], Crc32C.Compute(page[CrcStart..SectorBytes]));
    }
}
