using System.Buffers.Binary;
using Dledger.Primitives;

namespace Dledger.Storage.Records;

/// <summary>The fixed part of a batch's body.</summary>
/// <remarks>
/// A record of the kind <see cref="RecordKind.MessageBatch"/> holds several messages that are compressed as a whole. Its header is that of
/// the first message, but for kind, flags, tag, key and properties, of which it has none. Its body, little-endian:
///   0             1       2      4       8                   12          16
///   | compression | flags | zero | count | uncompressed size | key count |
///   16                 16 + 24 * count     + 8 * key count
///   | rows             | keys              | block                       |
/// Rows are <see cref="BatchRow"/>s, keys the numbers for the key index in the order of the messages, and the block is what the client
/// sent: its records back to back, compressed. Frozen by Golden/messagebatch-v1.hex.
/// </remarks>
/// <param name="Compression">How the block is compressed.</param>
/// <param name="HasLifetimes">A message of the batch has a time to live.</param>
/// <param name="Count">Messages, at least 1.</param>
/// <param name="UncompressedSize">Bytes of all their records.</param>
/// <param name="KeyCount">Numbers in the key list.</param>
public readonly record struct BatchTable(
    Compression Compression, bool HasLifetimes, int Count, int UncompressedSize, int KeyCount)
{
    /// <summary>Bytes of the fixed part.</summary>
    public const int Size = 16;

    /// <summary>From the beginning of the batch's record to its first row.</summary>
    public const int RowsDistance = RecordHeader.Size + Size;

    private const byte LifetimesFlag = 1;
    private const int KeyBytes = sizeof(ulong);

    /// <summary>Bytes of the body before the block.</summary>
    public long Length => Size + ((long)BatchRow.Bytes * Count) + ((long)KeyBytes * KeyCount);

    /// <summary>Where the row of a message lies in the batch's record.</summary>
    public static int DistanceOf(int index) => RowsDistance + (index * BatchRow.Bytes);

    /// <summary>Where the key list begins in the body.</summary>
    private int KeysStart => Size + (BatchRow.Bytes * Count);

    /// <summary>Reads the fixed part, and checks that what it tells of has room in the body.</summary>
    public static bool TryParse(ReadOnlySpan<byte> body, out BatchTable table) => TryParse(body, body.Length, out table);

    /// <summary>The same of the beginning of a body.</summary>
    public static bool TryParse(ReadOnlySpan<byte> body, int bodyLength, out BatchTable table)
    {
        table = default;
        if (body.Length < Size)
        {
            return false;
        }

        table = new BatchTable(
            (Compression)body[0],
            (body[1] & LifetimesFlag) != 0,
            BinaryPrimitives.ReadInt32LittleEndian(body[4..]),
            BinaryPrimitives.ReadInt32LittleEndian(body[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(body[12..]));
        return table is { Count: > 0, UncompressedSize: > 0, KeyCount: >= 0 } && table.Length <= bodyLength;
    }

    /// <summary>Writes the 16 bytes.</summary>
    public void Write(Span<byte> body)
    {
        body[0] = (byte)Compression;
        body[1] = HasLifetimes ? LifetimesFlag : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], 0);
        BinaryPrimitives.WriteInt32LittleEndian(body[4..], Count);
        BinaryPrimitives.WriteInt32LittleEndian(body[8..], UncompressedSize);
        BinaryPrimitives.WriteInt32LittleEndian(body[12..], KeyCount);
    }

    /// <summary>A row of the table in a body.</summary>
    public BatchRow Row(ReadOnlySpan<byte> body, int index) => BatchRow.Parse(body[(Size + (index * BatchRow.Bytes))..]);

    /// <summary>Writes a row into a body.</summary>
    public void WriteRow(Span<byte> body, int index, in BatchRow row) => row.Write(body[(Size + (index * BatchRow.Bytes))..]);

    /// <summary>A number of the key list in a body.</summary>
    public ulong Key(ReadOnlySpan<byte> body, int index) =>
        BinaryPrimitives.ReadUInt64LittleEndian(body[(KeysStart + (index * KeyBytes))..]);

    /// <summary>Writes a number into the key list of a body.</summary>
    public void WriteKey(Span<byte> body, int index, ulong key) =>
        BinaryPrimitives.WriteUInt64LittleEndian(body[(KeysStart + (index * KeyBytes))..], key);

    /// <summary>The compressed records.</summary>
    public ReadOnlySpan<byte> Block(ReadOnlySpan<byte> body) => body[(int)Length..];
}
