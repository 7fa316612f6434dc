using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Dledger.Broker.Commands;

/// <summary>
/// Writes little-endian fields into a growing buffer. Owned by one caller; not safe for concurrent use.
/// </summary>
internal sealed class ByteWriter(int capacity = 64)
{
    private readonly ArrayBufferWriter<byte> _buffer = new(capacity);

    public int Length => _buffer.WrittenCount;

    public ReadOnlyMemory<byte> Written => _buffer.WrittenMemory;

    public void Byte(byte value) => Take(1)[0] = value;

    public void Flag(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void UInt16(int value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), checked((ushort)value));

    public void Int32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), value);

    public void Int64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(8), value);

    public void UInt128(UInt128 value) => BinaryPrimitives.WriteUInt128LittleEndian(Take(16), value);

    /// <summary>16-bit byte count, then UTF-8.</summary>
    public void Text(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        UInt16(length);
        Encoding.UTF8.GetBytes(value, Take(length));
    }

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    public byte[] ToArray() => _buffer.WrittenSpan.ToArray();

    /// <summary>Room for that many bytes, all of which the caller writes before the next call.</summary>
    public Span<byte> Take(int length)
    {
        if (length == 0)
        {
            return [];
        }

        var span = _buffer.GetSpan(length)[..length];
        _buffer.Advance(length);
        return span;
    }
}
