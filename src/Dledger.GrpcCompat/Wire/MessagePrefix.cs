using System.Buffers;
using System.Buffers.Binary;

namespace Dledger.GrpcCompat.Wire;

/// <summary>What stands before every message: a flag and the length.</summary>
/// <remarks>
///   0           1                    5
///   | flag      | length, big-endian |
/// Flag 0: plain; 1: compressed by the call's <c>grpc-encoding</c>; others are not defined.
/// </remarks>
internal readonly record struct MessagePrefix(byte Flag, uint Length)
{
    public const int Bytes = 5;
    public const byte Plain = 0;
    public const byte Compressed = 1;

    public static MessagePrefix Read(ReadOnlySequence<byte> buffer)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        buffer.Slice(0, Bytes).CopyTo(bytes);
        return new MessagePrefix(bytes[0], BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]));
    }

    public void Write(IBufferWriter<byte> target)
    {
        var span = target.GetSpan(Bytes);
        span[0] = Flag;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], Length);
        target.Advance(Bytes);
    }
}
