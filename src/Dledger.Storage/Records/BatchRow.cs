using System.Buffers.Binary;

namespace Dledger.Storage.Records;

/// <summary>What the table of a <see cref="RecordKind.MessageBatch"/> says about one of its messages.</summary>
/// <remarks>
/// 24 bytes, little-endian; the row's address in the log is the position of the message:
///   0             4       8        12         16            24
///   | -distance   | start | length | keys end | index hash  |
/// A record begins with its length, which is positive: so the sign tells a row from a record where either may be.
/// </remarks>
/// <param name="Distance">Bytes from the beginning of the batch's record to this row; stored as its negative.</param>
/// <param name="Start">Where the message's record begins in what was compressed.</param>
/// <param name="Length">Of that record; a multiple of 8.</param>
/// <param name="KeysEnd">How many numbers of the key list belong to this message and those before it.</param>
/// <param name="IndexHash">The hashes for its index entry.</param>
public readonly record struct BatchRow(int Distance, int Start, int Length, int KeysEnd, long IndexHash)
{
    /// <summary>Bytes of a row; a multiple of 8, as positions are.</summary>
    public const int Bytes = 24;

    /// <summary>Whether the bytes at a position are those of a row, and not of a record.</summary>
    public static bool IsAt(ReadOnlySpan<byte> source) =>
        source.Length >= Bytes && BinaryPrimitives.ReadInt32LittleEndian(source) < 0;

    /// <summary>Reads a row; checks nothing.</summary>
    public static BatchRow Parse(ReadOnlySpan<byte> source) => new(
        unchecked(-BinaryPrimitives.ReadInt32LittleEndian(source)),
        BinaryPrimitives.ReadInt32LittleEndian(source[4..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[12..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[16..]));

    /// <summary>Writes the 24 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination, -Distance);
        BinaryPrimitives.WriteInt32LittleEndian(destination[4..], Start);
        BinaryPrimitives.WriteInt32LittleEndian(destination[8..], Length);
        BinaryPrimitives.WriteInt32LittleEndian(destination[12..], KeysEnd);
        BinaryPrimitives.WriteInt64LittleEndian(destination[16..], IndexHash);
    }
}
