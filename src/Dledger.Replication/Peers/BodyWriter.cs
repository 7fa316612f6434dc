using System.Buffers.Binary;
using System.Text;
using Dledger.Primitives;

namespace Dledger.Replication.Peers;

/// <summary>Writes the fields of a message body, little-endian, one behind the other.</summary>
internal ref struct BodyWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    public void WriteByte(byte value)
    {
        _destination[Length] = value;
        Length += 1;
    }

    public void WriteUInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_destination[Length..], value);
        Length += 2;
    }

    public void WriteInt32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_destination[Length..], value);
        Length += 4;
    }

    public void WriteUInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_destination[Length..], value);
        Length += 4;
    }

    public void WriteInt64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_destination[Length..], value);
        Length += 8;
    }

    public void WriteGuid(Guid value)
    {
        Invariant.Check(value.TryWriteBytes(_destination[Length..]), "the buffer holds a whole message");
        Length += 16;
    }

    /// <summary>An id in the order of its text form, as the log stores it.</summary>
    public void WriteStoredGuid(Guid value)
    {
        Invariant.Check(
            value.TryWriteBytes(_destination[Length..], bigEndian: true, out _), "the buffer holds a whole record");
        Length += 16;
    }

    /// <summary>A length of two bytes and UTF-8; longer text is cut at <paramref name="bytesMax"/>.</summary>
    public void WriteText(string text, int bytesMax)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var length = Math.Min(bytes.Length, bytesMax);
        BinaryPrimitives.WriteUInt16LittleEndian(_destination[Length..], (ushort)length);
        bytes.AsSpan(0, length).CopyTo(_destination[(Length + 2)..]);
        Length += 2 + length;
    }

    /// <summary>Closes a body with the checksum of all that was written.</summary>
    public void WriteChecksum() => WriteUInt32(Crc32C.Compute(_destination[..Length]));
}
