using System.Buffers.Binary;
using Dledger.Primitives;

namespace Dledger.Storage.Queues;

/// <summary>
/// One slot of a <see cref="ConsumeQueue"/>: where the n-th message of the queue lies in the CommitLog.
/// </summary>
/// <remarks>
/// 20 bytes, little-endian; slot n begins at byte 20 * n, so the queue offset itself is not stored.
///   0                 8        12                20
///   | log position    |  size  | hashes           |
/// Size is that of the whole record in bytes; 0 marks a slot never written. A message of a compressed batch has the position of its row,
/// and the size of its record before compression. The hashes are the broker's: tag hash code in the lower half, message group in the upper
/// one. Equal hash codes do not prove equal tags: the reader compares the record's tag. Layout of RocketMQ 5, but little-endian like all
/// our files. Frozen by Golden/consumequeue-v1.hex.
/// </remarks>
public readonly record struct ConsumeQueueEntry(LogPosition Position, int Size, long TagHash)
{
    /// <summary>Bytes of a slot.</summary>
    public const int Bytes = 20;

    /// <summary>Reads a slot.</summary>
    public static ConsumeQueueEntry Parse(ReadOnlySpan<byte> source) => new(
        new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(source)),
        BinaryPrimitives.ReadInt32LittleEndian(source[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[12..]));

    /// <summary>Writes a slot.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt64LittleEndian(destination, Position.Value);
        BinaryPrimitives.WriteInt32LittleEndian(destination[8..], Size);
        BinaryPrimitives.WriteInt64LittleEndian(destination[12..], TagHash);
    }
}
