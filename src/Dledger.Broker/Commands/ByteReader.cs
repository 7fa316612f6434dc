using System.Buffers.Binary;
using System.Text;
using Dledger.Primitives;

namespace Dledger.Broker.Commands;

/// <summary>Reads what <see cref="ByteWriter"/> wrote.</summary>
/// <remarks>
/// The bytes come from a committed, checksummed frame or a checkpoint part, so bytes that do not fit are a bug or a
/// newer format: the node must stop instead of guessing (raft-and-storage.md 2.6), hence invariants.
/// </remarks>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool AtEnd => _rest.IsEmpty;

    public byte Byte() => Take(1)[0];

    public bool Flag() => Byte() switch
    {
        0 => false,
        1 => true,
        var other => throw new InvariantViolationException($"a stored flag is {other}"),
    };

    public int UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public UInt128 UInt128() => BinaryPrimitives.ReadUInt128LittleEndian(Take(16));

    public string Text() => Encoding.UTF8.GetString(Take(UInt16()));

    /// <summary>A count that is followed by at least <paramref name="bytesEach"/> bytes per element.</summary>
    public int Count(int bytesEach)
    {
        var count = Int32();
        Invariant.Check(
            count >= 0 && (long)count * bytesEach <= _rest.Length,
            $"a stored count is {count}, {_rest.Length} bytes are left");
        return count;
    }

    /// <summary>The format version at the start; unknown ones stop the node.</summary>
    public void Version(byte known)
    {
        var version = Byte();
        Invariant.Check(version == known, $"format version {version} is not the known {known}");
    }

    /// <summary>Nothing may be left.</summary>
    public readonly void End() => Invariant.Check(_rest.IsEmpty, $"{_rest.Length} bytes are left over");

    public ReadOnlySpan<byte> Take(int length)
    {
        Invariant.Check(
            length >= 0 && length <= _rest.Length, $"{length} bytes are wanted, {_rest.Length} bytes are left");
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
