using System.Buffers;
using System.Text;

namespace Dledger.Broker.Messages;

/// <summary>A text's UTF-8 bytes for the length of a call: on the stack when it is short, else in a rented array.</summary>
internal ref struct Utf8Text
{
    /// <summary>What the caller puts on the stack; most ids, groups and host names fit.</summary>
    public const int StackBytes = 256;

    private byte[]? _rented;

    public Utf8Text(string text, Span<byte> stack)
    {
        var length = text.Length * 3 <= stack.Length ? stack.Length : Encoding.UTF8.GetByteCount(text);
        var bytes = length <= stack.Length ? stack : _rented = ArrayPool<byte>.Shared.Rent(length);
        Bytes = bytes[..Encoding.UTF8.GetBytes(text, bytes)];
    }

    public ReadOnlySpan<byte> Bytes { get; }

    public void Dispose()
    {
        if (_rented is { } array)
        {
            _rented = null;
            ArrayPool<byte>.Shared.Return(array);
        }
    }
}
