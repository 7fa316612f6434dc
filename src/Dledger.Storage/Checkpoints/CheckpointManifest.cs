using System.Buffers.Binary;
using System.Text;
using Dledger.Primitives;

namespace Dledger.Storage.Checkpoints;

/// <summary>One file of a state checkpoint.</summary>
internal readonly record struct CheckpointPart(string Name, long Length, uint Crc);

/// <summary>The last file of a state checkpoint: what it stands for and which parts it consists of.</summary>
/// <remarks>
/// Little-endian:
///   0       8     12        16       20          24        32     40         48
///   | magic | crc | version | length | headerCrc | applied | term | partCount, reserved |
///   48: per part {nameLength 2, name, length 8, crc 4}
/// crc is CRC-32C over bytes 12..length-1, a part's crc over its file. Frozen by Golden/statemanifest-v1.hex.
/// </remarks>
internal sealed record CheckpointManifest(
    LogPosition Applied, Term Term, uint HeaderCrc, IReadOnlyList<CheckpointPart> Parts)
{
    private const ulong Magic = 0x3145_5441_5453_4C44; // "DLSTATE1"
    private const uint Version = 1;
    private const int HeaderBytes = 48;
    private const int CrcStart = 12;

    /// <summary>The file's content.</summary>
    public byte[] Encode()
    {
        var bytes = new byte[HeaderBytes + Parts.Sum(part => 14 + Encoding.UTF8.GetByteCount(part.Name))];
        var span = bytes.AsSpan();
        BinaryPrimitives.WriteUInt64LittleEndian(span, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(span[12..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(span[16..], bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(span[20..], HeaderCrc);
        BinaryPrimitives.WriteInt64LittleEndian(span[24..], Applied.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[32..], Term.Value);
        BinaryPrimitives.WriteInt32LittleEndian(span[40..], Parts.Count);
        var at = HeaderBytes;
        foreach (var part in Parts)
        {
            var nameLength = Encoding.UTF8.GetBytes(part.Name, span[(at + 2)..]);
            BinaryPrimitives.WriteUInt16LittleEndian(span[at..], (ushort)nameLength);
            at += 2 + nameLength;
            BinaryPrimitives.WriteInt64LittleEndian(span[at..], part.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(span[(at + 8)..], part.Crc);
            at += 12;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(span[8..], Crc32C.Compute(span[CrcStart..]));
        return bytes;
    }

    /// <summary>Reads a manifest; the fault when the bytes are none.</summary>
    public static CheckpointManifest? Parse(ReadOnlySpan<byte> bytes, out string? fault)
    {
        fault = null;
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic)
        {
            fault = "no manifest magic";
        }
        else if (BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]) != bytes.Length
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) != Crc32C.Compute(bytes[CrcStart..]))
        {
            fault = "wrong manifest checksum or length";
        }
        else if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) != Version)
        {
            fault = $"manifest version {BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..])}, known is {Version}";
        }

        return fault is null ? ParseVerified(bytes) : null;
    }

    private static CheckpointManifest ParseVerified(ReadOnlySpan<byte> bytes)
    {
        var parts = new List<CheckpointPart>();
        var at = HeaderBytes;
        for (var left = BinaryPrimitives.ReadInt32LittleEndian(bytes[40..]); left > 0; left--)
        {
            var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);
            var name = Encoding.UTF8.GetString(bytes.Slice(at + 2, nameLength));
            at += 2 + nameLength;
            parts.Add(new CheckpointPart(
                name,
                BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]),
                BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 8)..])));
            at += 12;
        }

        return new CheckpointManifest(
            new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(bytes[24..])),
            new Term(BinaryPrimitives.ReadInt64LittleEndian(bytes[32..])),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]),
            parts);
    }
}
