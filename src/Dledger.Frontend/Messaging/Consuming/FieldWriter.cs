using System.Numerics;
using System.Text;
using Google.Protobuf;

namespace Dledger.Frontend.Messaging.Consuming;

/// <summary>Writes fields of a protobuf message into a span, or only measures them.</summary>
/// <remarks>One walk over the fields serves both: a nested message has its length in front, so it is measured before it is written.</remarks>
internal ref struct FieldWriter
{
    private readonly Span<byte> _destination;
    private readonly bool _isMeasuring;

    private FieldWriter(Span<byte> destination, bool isMeasuring)
    {
        _destination = destination;
        _isMeasuring = isMeasuring;
    }

    /// <summary>Bytes written or measured.</summary>
    public int Length { get; private set; }

    public static FieldWriter Measuring() => new(default, isMeasuring: true);

    public static FieldWriter Into(Span<byte> destination) => new(destination, isMeasuring: false);

    /// <summary>A field without presence: nothing for 0.</summary>
    public void Number(int field, long value)
    {
        if (value != 0)
        {
            PresentNumber(field, value);
        }
    }

    /// <summary>A field with presence.</summary>
    public void PresentNumber(int field, long value)
    {
        Tag(field, WireFormat.WireType.Varint);
        Varint((ulong)value);
    }

    /// <summary>A field without presence: nothing for no bytes.</summary>
    public void Text(int field, ReadOnlySpan<byte> utf8)
    {
        if (!utf8.IsEmpty)
        {
            PresentText(field, utf8);
        }
    }

    /// <inheritdoc cref="Text(int, ReadOnlySpan{byte})"/>
    public void Text(int field, string text)
    {
        if (text.Length > 0)
        {
            var length = Encoding.UTF8.GetByteCount(text);
            Begin(field, length);
            if (!_isMeasuring)
            {
                Encoding.UTF8.GetBytes(text, _destination[Length..]);
            }

            Length += length;
        }
    }

    /// <summary>A field with presence.</summary>
    public void PresentText(int field, ReadOnlySpan<byte> utf8)
    {
        Begin(field, utf8.Length);
        Raw(utf8);
    }

    /// <summary>Tag and length of a nested message or of bytes, which are to follow.</summary>
    public void Begin(int field, int length)
    {
        Tag(field, WireFormat.WireType.LengthDelimited);
        Varint((uint)length);
    }

    /// <summary>Room for content that the caller writes unless it is only measured; then it is empty.</summary>
    public Span<byte> Take(int length)
    {
        var span = _isMeasuring ? default : _destination.Slice(Length, length);
        Length += length;
        return span;
    }

    public void Raw(ReadOnlySpan<byte> bytes)
    {
        if (!_isMeasuring)
        {
            bytes.CopyTo(_destination[Length..]);
        }

        Length += bytes.Length;
    }

    private void Tag(int field, WireFormat.WireType type) => Varint(WireFormat.MakeTag(field, type));

    private void Varint(ulong value)
    {
        if (_isMeasuring)
        {
            Length += (BitOperations.Log2(value | 1) / 7) + 1;
            return;
        }

        for (; value >= 0x80; value >>= 7)
        {
            _destination[Length++] = (byte)(value | 0x80);
        }

        _destination[Length++] = (byte)value;
    }
}
