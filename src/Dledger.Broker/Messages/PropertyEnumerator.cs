using Dledger.Broker.Commands;

namespace Dledger.Broker.Messages;

/// <summary>Walks a property map in place.</summary>
public ref struct PropertyEnumerator(ReadOnlySpan<byte> properties)
{
    private ByteReader _reader = new(properties);

    /// <summary>What the present entry is. Kinds that a reader does not know are to be passed over.</summary>
    public PropertyKind Kind { get; private set; }

    public ReadOnlySpan<byte> Content { get; private set; }

    public bool MoveNext()
    {
        if (_reader.AtEnd)
        {
            return false;
        }

        Kind = (PropertyKind)_reader.Byte();
        Content = _reader.Take(_reader.UInt16());
        return true;
    }

    /// <summary>Key and value of a <see cref="PropertyKind.UserProperty"/>, in UTF-8.</summary>
    public static void SplitUserProperty(
        ReadOnlySpan<byte> content, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        var reader = new ByteReader(content);
        key = reader.Take(reader.UInt16());
        value = content[(2 + key.Length)..];
    }
}
