using System.Buffers.Binary;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;

namespace Dledger.Broker.Streaming;

/// <summary>The property map of a record that a client encoded, checked entry by entry.</summary>
/// <remarks>After a check without violation the map may be read by those who trust what is in the log.</remarks>
internal ref struct RecordProperties
{
    /// <summary>What the client may write, and write once.</summary>
    private const ulong SingleKinds =
        (1UL << (int)PropertyKind.MessageType) | (1UL << (int)PropertyKind.BodyEncoding) | (1UL << (int)PropertyKind.Tag)
        | (1UL << (int)PropertyKind.BornHost) | (1UL << (int)PropertyKind.MessageGroup) | (1UL << (int)PropertyKind.TraceContext)
        | (1UL << (int)PropertyKind.Priority) | (1UL << (int)PropertyKind.LiteTopic);

    private const int EntryHeaderBytes = 3;
    private const int NameLengthBytes = 2;

    private ReadOnlySpan<byte> _map;
    private ulong _seen;
    private int _userCount;
    private int _userBytes;

    public MessageType Type { get; private set; }

    public ReadOnlySpan<byte> Tag { get; private set; }

    /// <summary>Empty without one.</summary>
    public ReadOnlySpan<byte> MessageGroup { get; private set; }

    public readonly bool Has(PropertyKind kind) => (_seen & (1UL << (int)kind)) != 0;

    /// <summary>Reads a map; the first broken rule, or null.</summary>
    public static Violation? Check(ReadOnlySpan<byte> map, out RecordProperties properties)
    {
        properties = default;
        if (map.Length > Limits.EncodedPropertyBytesMax)
        {
            return new Violation(
                BrokenRule.PropertiesTooLarge,
                $"all properties of the message take {map.Length} bytes; the limit is {Limits.EncodedPropertyBytesMax}");
        }

        properties._map = map;
        for (var at = 0; at < map.Length;)
        {
            if (map.Length - at < EntryHeaderBytes
                || BinaryPrimitives.ReadUInt16LittleEndian(map[(at + 1)..]) is var length && length > map.Length - at - EntryHeaderBytes)
            {
                return Malformed("ends inside an entry");
            }

            if (properties.Add((PropertyKind)map[at], map.Slice(at + EntryHeaderBytes, length), at) is { } violation)
            {
                return violation;
            }

            at += EntryHeaderBytes + length;
        }

        return properties.CheckWhole();
    }

    private static Violation Malformed(string what) => new(BrokenRule.Batch, $"the property map of a record {what}");

    private Violation? Add(PropertyKind kind, ReadOnlySpan<byte> content, int at)
    {
        if ((byte)kind > 63)
        {
            return Malformed($"has an entry of the kind {(byte)kind}, which no producer writes");
        }

        var bit = 1UL << (int)kind;
        if ((SingleKinds & bit) != 0)
        {
            if ((_seen & bit) != 0)
            {
                return Malformed($"has two entries of the kind {(byte)kind}");
            }

            _seen |= bit;
            return AddSingle(kind, content);
        }

        switch (kind)
        {
            case PropertyKind.Key:
                _userBytes += content.Length;
                return TextRules.CheckKey(content);
            case PropertyKind.UserProperty:
                return AddUser(content, at);
            default:
                return Malformed($"has an entry of the kind {(byte)kind}, which no producer writes");
        }
    }

    private Violation? AddSingle(PropertyKind kind, ReadOnlySpan<byte> content)
    {
        switch (kind)
        {
            case PropertyKind.MessageType:
                if (content.Length != 1 || !Enum.IsDefined((MessageType)content[0]))
                {
                    return Malformed("has a message type that does not exist");
                }

                Type = (MessageType)content[0];
                return null;
            case PropertyKind.BodyEncoding:
                return content.Length == 1 && Enum.IsDefined((BodyEncoding)content[0])
                    ? null
                    : Malformed("has an encoding of the body that does not exist");
            case PropertyKind.Tag:
                Tag = content;
                _userBytes += content.Length;
                return TextRules.CheckTag(content);
            case PropertyKind.MessageGroup:
                MessageGroup = content;
                return TextRules.CheckMessageGroup(content);
            case PropertyKind.Priority:
                return content.Length == sizeof(int) ? null : Malformed($"has a priority of {content.Length} bytes; it has 4");
            default:
                return TextRules.CheckEncoding(content);
        }
    }

    private Violation? AddUser(ReadOnlySpan<byte> content, int at)
    {
        if (content.Length < NameLengthBytes
            || BinaryPrimitives.ReadUInt16LittleEndian(content) is var length && length > content.Length - NameLengthBytes)
        {
            return Malformed("ends inside a user property");
        }

        var name = content.Slice(NameLengthBytes, length);
        var value = content[(NameLengthBytes + length)..];
        if (TextRules.CheckProperty(name, value) is { } violation)
        {
            return violation;
        }

        _userBytes += name.Length + value.Length;
        _userCount++;
        return IsRepeated(name, at)
            ? new Violation(BrokenRule.PropertyKey, "a user property is there twice in one message")
            : null;
    }

    // What lies before it was checked already.
    private readonly bool IsRepeated(ReadOnlySpan<byte> name, int end)
    {
        if (_userCount == 1)
        {
            return false;
        }

        var entries = new PropertyEnumerator(_map[..end]);
        while (entries.MoveNext())
        {
            if (entries.Kind == PropertyKind.UserProperty
                && BinaryPrimitives.ReadUInt16LittleEndian(entries.Content) == name.Length
                && entries.Content.Slice(NameLengthBytes, name.Length).SequenceEqual(name))
            {
                return true;
            }
        }

        return false;
    }

    private readonly Violation? CheckWhole()
    {
        if (!Has(PropertyKind.MessageType) || !Has(PropertyKind.BodyEncoding))
        {
            return Malformed("lacks the message type or the encoding of the body");
        }

        if (_userCount > Limits.UserPropertyCountMax)
        {
            return new Violation(
                BrokenRule.PropertiesTooLarge,
                $"the message has {_userCount} user properties; the limit is {Limits.UserPropertyCountMax}");
        }

        return _userBytes > Limits.UserPropertyBytesMax
            ? new Violation(
                BrokenRule.PropertiesTooLarge,
                $"user properties, tag and keys have {_userBytes} UTF-8 bytes together; the limit is {Limits.UserPropertyBytesMax}")
            : null;
    }
}
