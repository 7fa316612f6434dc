using System.Buffers.Binary;
using System.Text;
using Dledger.Primitives;

namespace Dledger.Broker.Messages;

/// <summary>A property map that is written in place, entry by entry, into a span of exactly its size.</summary>
internal ref struct PropertyMap(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;
    private int _end;

    public void Add(PropertyKind kind, byte content) => Begin(kind, 1)[0] = content;

    public void Add(PropertyKind kind, int content) =>
        BinaryPrimitives.WriteInt32LittleEndian(Begin(kind, sizeof(int)), content);

    /// <summary>Nothing for null.</summary>
    public void Add(PropertyKind kind, string? text)
    {
        if (text is not null)
        {
            Encoding.UTF8.GetBytes(text, Begin(kind, Encoding.UTF8.GetByteCount(text)));
        }
    }

    public void AddUserProperty(string key, string value)
    {
        var keyLength = Encoding.UTF8.GetByteCount(key);
        var content = Begin(PropertyKind.UserProperty, 2 + keyLength + Encoding.UTF8.GetByteCount(value));
        BinaryPrimitives.WriteUInt16LittleEndian(content, checked((ushort)keyLength));
        Encoding.UTF8.GetBytes(key, content[2..]);
        Encoding.UTF8.GetBytes(value, content[(2 + keyLength)..]);
    }

    /// <summary>Nothing follows.</summary>
    public readonly void End() =>
        Invariant.Check(_end == _destination.Length, $"a property map of {_destination.Length} bytes was filled with {_end}");

    private Span<byte> Begin(PropertyKind kind, int length)
    {
        var entry = _destination.Slice(_end, PropertyWriter.EntryHeaderBytes + length);
        entry[0] = (byte)kind;
        BinaryPrimitives.WriteUInt16LittleEndian(entry[1..], checked((ushort)length));
        _end += entry.Length;
        return entry[PropertyWriter.EntryHeaderBytes..];
    }
}
