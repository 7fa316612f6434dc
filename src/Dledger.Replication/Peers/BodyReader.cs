using System.Buffers.Binary;
using System.Text;
using Dledger.Primitives;

namespace Dledger.Replication.Peers;

/// <summary>
/// Reads the fields of a message body. Reading past its end yields zeros and clears <see cref="IsWhole"/>.
/// </summary>
/// <remarks>So a decoder reads all fields and asks once at the end; nothing throws on bytes from a stranger.</remarks>
internal ref struct BodyReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> _rest = source;

    /// <summary>False once a field was cut short.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>Bytes not yet read.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>Whether every byte was read and no field was cut short.</summary>
    public readonly bool IsExhausted => IsWhole && _rest.IsEmpty;

    /// <summary>Splits a body from its trailing checksum; false when that is wrong.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> body, out BodyReader reader)
    {
        reader = default;
        if (body.Length < 4)
        {
            return false;
        }

        var content = body[..^4];
        if (Crc32C.Compute(content) != BinaryPrimitives.ReadUInt32LittleEndian(body[^4..]))
        {
            return false;
        }

        reader = new BodyReader(content);
        return true;
    }

    public byte ReadByte() => TryTake(1, out var bytes) ? bytes[0] : (byte)0;

    public int ReadUInt16() => TryTake(2, out var bytes) ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : 0;

    public int ReadInt32() => TryTake(4, out var bytes) ? BinaryPrimitives.ReadInt32LittleEndian(bytes) : 0;

    public uint ReadUInt32() => TryTake(4, out var bytes) ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : 0;

    public long ReadInt64() => TryTake(8, out var bytes) ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : 0;

    public Guid ReadGuid() => TryTake(16, out var bytes) ? new Guid(bytes) : Guid.Empty;

    /// <summary>An id in the order of its text form, as the log stores it.</summary>
    public Guid ReadStoredGuid() => TryTake(16, out var bytes) ? new Guid(bytes, bigEndian: true) : Guid.Empty;

    /// <summary>A flag byte; anything but 0 and 1 spoils the message.</summary>
    public bool ReadFlag()
    {
        var value = ReadByte();
        IsWhole &= value <= 1;
        return value == 1;
    }

    /// <summary>A position; a negative one spoils the message.</summary>
    public LogPosition ReadPosition()
    {
        var value = ReadInt64();
        IsWhole &= value >= 0;
        return new LogPosition(Math.Max(0, value));
    }

    /// <summary>A term; a negative one spoils the message.</summary>
    public Term ReadTerm()
    {
        var value = ReadInt64();
        IsWhole &= value >= 0;
        return new Term(Math.Max(0, value));
    }

    /// <summary>A node number or none; anything outside 0 to 255 spoils the message.</summary>
    public NodeId ReadNode()
    {
        var value = ReadInt32();
        IsWhole &= value is >= 0 and <= NodeId.ValueMax;
        return new NodeId(IsWhole ? value : 0);
    }

    public string ReadText() =>
        TryTake(2, out var length) && TryTake(BinaryPrimitives.ReadUInt16LittleEndian(length), out var bytes)
            ? Encoding.UTF8.GetString(bytes)
            : "";

    private bool TryTake(int length, out ReadOnlySpan<byte> bytes)
    {
        if (_rest.Length < length)
        {
            IsWhole = false;
            _rest = default;
            bytes = default;
            return false;
        }

        bytes = _rest[..length];
        _rest = _rest[length..];
        return true;
    }
}
