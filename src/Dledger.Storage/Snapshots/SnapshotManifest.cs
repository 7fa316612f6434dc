using System.Buffers.Binary;
using System.Text;
using Dledger.Primitives;
using Dledger.Storage.Checkpoints;
using Dledger.Storage.Frames;
using Dledger.Storage.Queues;

namespace Dledger.Storage.Snapshots;

/// <summary>What a snapshot stands for, where the log behind it begins, and the files that it consists of.</summary>
/// <remarks>
/// Sent as it is stored. Little-endian:
///   0       8     12        16       20          24        32            40                 44                 48
///   | magic | crc | version | length | partCount | applied | appliedTerm | appliedHeaderCrc | attachmentLength |
///   48         56               60                 64          72             80
///   | logStart | startHeaderCrc | startFrameLength | startTerm | startLogTime | attachment | parts |
/// and per part:
///   0      1            2      4         8         12       20    24            32
///   | kind | nameLength | zero | topicId | queueId | length | crc | firstOffset | name |
/// crc is CRC-32C over bytes 12..length-1. Frozen by Golden/snapshotmanifest-v1.hex.
/// </remarks>
public sealed record SnapshotManifest
{
    /// <summary>Most bytes of the attachment.</summary>
    public const int AttachmentBytesMax = 64 << 10;

    /// <summary>Most parts.</summary>
    public const int PartCountMax = 1 << 20;

    /// <summary>Most bytes of an encoded manifest; to be checked before a peer's one is gathered in memory.</summary>
    public const int BytesMax = 64 << 20;

    private const ulong Magic = 0x3130_5041_4E53_4C44; // "DLSNAP01"
    private const uint Version = 1;
    private const int HeaderBytes = 80;
    private const int PartBytes = 32;
    private const int CrcStart = 12;

    /// <summary>The position up to which the state includes the log; at least the log's start.</summary>
    public required LogPosition Applied { get; init; }

    /// <summary>Term of the frame that ends there.</summary>
    public required Term AppliedTerm { get; init; }

    /// <summary>Its header checksum.</summary>
    public required uint AppliedHeaderCrc { get; init; }

    /// <summary>The frame behind which the sender's log begins.</summary>
    public required ChainTail LogStart { get; init; }

    /// <summary>What the caller adds, for example the configuration in force; at most 64 KiB.</summary>
    public ReadOnlyMemory<byte> Attachment { get; init; }

    /// <summary>The files; a part's index is its identity while the snapshot is sent.</summary>
    public required IReadOnlyList<SnapshotPart> Parts { get; init; }

    /// <summary>Bytes of all parts.</summary>
    public long TotalBytes => Parts.Sum(part => part.Length);

    /// <summary>The bytes that are stored and sent.</summary>
    public byte[] Encode()
    {
        Invariant.Check(Attachment.Length <= AttachmentBytesMax, $"attachment of {Attachment.Length} bytes");
        var partsLength = Parts.Sum(part => PartBytes + Encoding.UTF8.GetByteCount(part.Name));
        var bytes = new byte[HeaderBytes + Attachment.Length + partsLength];
        var span = bytes.AsSpan();
        BinaryPrimitives.WriteUInt64LittleEndian(span, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(span[12..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(span[16..], bytes.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span[20..], Parts.Count);
        BinaryPrimitives.WriteInt64LittleEndian(span[24..], Applied.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[32..], AppliedTerm.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(span[40..], AppliedHeaderCrc);
        BinaryPrimitives.WriteInt32LittleEndian(span[44..], Attachment.Length);
        BinaryPrimitives.WriteInt64LittleEndian(span[48..], LogStart.End.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(span[56..], LogStart.HeaderCrc);
        BinaryPrimitives.WriteInt32LittleEndian(span[60..], LogStart.FrameLength);
        BinaryPrimitives.WriteInt64LittleEndian(span[64..], LogStart.Term.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[72..], LogStart.LogTime);
        Attachment.Span.CopyTo(span[HeaderBytes..]);
        var at = HeaderBytes + Attachment.Length;
        foreach (var part in Parts)
        {
            at += WritePart(span[at..], part);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(span[8..], Crc32C.Compute(span[CrcStart..]));
        return bytes;
    }

    /// <summary>
    /// Reads and checks a manifest, for example one that a peer sent; null tells in <paramref name="fault"/> what is
    /// wrong with it. <paramref name="crc"/> is its checksum, which names it.
    /// </summary>
    public static SnapshotManifest? Parse(ReadOnlySpan<byte> bytes, out uint crc, out string? fault)
    {
        crc = 0;
        fault = FindHeaderFault(bytes);
        if (fault is not null)
        {
            return null;
        }

        crc = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        var attachmentLength = BinaryPrimitives.ReadInt32LittleEndian(bytes[44..]);
        var parts = ReadParts(
            bytes[(HeaderBytes + attachmentLength)..], BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]), out fault);
        if (parts is null)
        {
            return null;
        }

        var manifest = new SnapshotManifest
        {
            Applied = new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(bytes[24..])),
            AppliedTerm = new Term(BinaryPrimitives.ReadInt64LittleEndian(bytes[32..])),
            AppliedHeaderCrc = BinaryPrimitives.ReadUInt32LittleEndian(bytes[40..]),
            LogStart = new ChainTail(
                new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(bytes[48..])),
                BinaryPrimitives.ReadUInt32LittleEndian(bytes[56..]),
                BinaryPrimitives.ReadInt32LittleEndian(bytes[60..]),
                new Term(BinaryPrimitives.ReadInt64LittleEndian(bytes[64..])),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[72..])),
            Attachment = bytes.Slice(HeaderBytes, attachmentLength).ToArray(),
            Parts = parts,
        };
        fault = manifest.LogStart.End < LogPosition.Zero || manifest.Applied < manifest.LogStart.End
            ? $"state at {manifest.Applied}, log from {manifest.LogStart.End}"
            : null;
        return fault is null ? manifest : null;
    }

    private static int WritePart(Span<byte> target, in SnapshotPart part)
    {
        var nameLength = Encoding.UTF8.GetBytes(part.Name, target[PartBytes..]);
        target[0] = (byte)part.Kind;
        target[1] = (byte)nameLength;
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], part.TopicId);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], part.QueueId);
        BinaryPrimitives.WriteInt64LittleEndian(target[12..], part.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(target[20..], part.Crc);
        BinaryPrimitives.WriteInt64LittleEndian(target[24..], part.First.Value);
        return PartBytes + nameLength;
    }

    private static string? FindHeaderFault(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic)
        {
            return "no snapshot manifest magic";
        }

        if (BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]) != bytes.Length
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) != Crc32C.Compute(bytes[CrcStart..]))
        {
            return "wrong snapshot manifest checksum or length";
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) != Version)
        {
            return "snapshot manifest version "
                + $"{BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..])}, known is {Version}";
        }

        var attachmentLength = BinaryPrimitives.ReadInt32LittleEndian(bytes[44..]);
        return attachmentLength is < 0 or > AttachmentBytesMax || attachmentLength > bytes.Length - HeaderBytes
            ? $"snapshot attachment of {attachmentLength} bytes"
            : null;
    }

    private static List<SnapshotPart>? ReadParts(ReadOnlySpan<byte> bytes, int count, out string? fault)
    {
        if (count is < 1 or > PartCountMax || count > bytes.Length / PartBytes)
        {
            fault = $"{count} snapshot parts in {bytes.Length} bytes";
            return null;
        }

        var parts = new List<SnapshotPart>(count);
        var identities = new HashSet<(string, int, int, long)>();
        for (var i = 0; i < count; i++)
        {
            var nameLength = bytes.Length < PartBytes ? int.MaxValue - PartBytes : bytes[1];
            if (PartBytes + nameLength > bytes.Length)
            {
                fault = $"snapshot part {i} is cut off";
                return null;
            }

            var part = ReadPart(bytes, nameLength);
            fault = FindPartFault(part);
            if (fault is not null || !identities.Add((part.Name, part.TopicId, part.QueueId, part.First.Value)))
            {
                fault = $"snapshot part {i}: {fault ?? "there twice"}";
                return null;
            }

            parts.Add(part);
            bytes = bytes[(PartBytes + nameLength)..];
        }

        fault = bytes.Length > 0 ? $"{bytes.Length} bytes behind the snapshot parts" : null;
        return fault is null ? parts : null;
    }

    private static SnapshotPart ReadPart(ReadOnlySpan<byte> bytes, int nameLength) => new(
        (SnapshotPartKind)bytes[0],
        Encoding.UTF8.GetString(bytes.Slice(PartBytes, nameLength)),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
        new QueueOffset(BinaryPrimitives.ReadInt64LittleEndian(bytes[24..])),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[12..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]));

    private static string? FindPartFault(in SnapshotPart part) => part.Kind switch
    {
        SnapshotPartKind.State when !StateCheckpointStore.IsPartName(part.Name) => "no name of a state part",
        SnapshotPartKind.State
            when part.Length < 0 || part.TopicId != 0 || part.QueueId != 0 || part.First.Value != 0 =>
            "a state part with a wrong length or with a queue",
        SnapshotPartKind.State when part.Length == 0 && part.Crc != 0 => "an empty part with a checksum",
        SnapshotPartKind.State => null,
        SnapshotPartKind.Queue
            when part.Name.Length > 0 || part.TopicId < 0 || part.QueueId < 0 || part.First.Value < 0 =>
            "a queue's file without a queue",
        SnapshotPartKind.Queue when part.Length <= 0 || part.Length % ConsumeQueueEntry.Bytes != 0 =>
            $"a queue's file of {part.Length} bytes",
        SnapshotPartKind.Queue => null,
        _ => $"kind {(int)part.Kind}",
    };
}
