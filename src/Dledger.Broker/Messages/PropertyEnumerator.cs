using Dledger.Broker.Commands;

namespace Dledger.Broker.Messages;

/// <summary>Walks a property map in place.</summary>
internal ref struct PropertyEnumerator(ReadOnlySpan<byte> properties)
{
    private ByteReader _reader = new(properties);

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
}
