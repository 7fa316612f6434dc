using System.Text;
using Dledger.Broker.Commands;

namespace Dledger.Broker.Messages;

/// <summary>Writes a property map: entries of kind (1 byte), length (2 bytes), content. Layout: FORMAT.md.</summary>
internal static class PropertyWriter
{
    /// <summary>Kind and length of an entry.</summary>
    public const int EntryHeaderBytes = 3;

    /// <summary>Bytes that the properties of a draft take.</summary>
    public static long Measure(MessageDraft draft)
    {
        // By index: the enumerator of an interface is an object.
        long bytes = 2 * (EntryHeaderBytes + 1);
        bytes += Measure(draft.Tag);
        var keys = draft.Keys;
        for (var i = 0; i < keys.Count; i++)
        {
            bytes += Measure(keys[i]);
        }

        var properties = draft.UserProperties;
        for (var i = 0; i < properties.Count; i++)
        {
            var (key, value) = properties[i];
            bytes += EntryHeaderBytes + 2 + Encoding.UTF8.GetByteCount(key) + (long)Encoding.UTF8.GetByteCount(value);
        }

        bytes += draft.BornHost.Length == 0 ? 0 : Measure(draft.BornHost);
        bytes += Measure(draft.MessageGroup);
        bytes += Measure(draft.TraceContext);
        bytes += Measure(draft.LiteTopic);
        bytes += draft.Priority is null ? 0 : EntryHeaderBytes + sizeof(int);
        return bytes;
    }

    /// <summary>The properties of a draft, into a span of exactly <see cref="Measure(MessageDraft)"/> bytes.</summary>
    public static void Write(Span<byte> destination, MessageDraft draft)
    {
        var map = new PropertyMap(destination);
        map.Add(PropertyKind.MessageType, (byte)draft.Type);
        map.Add(PropertyKind.BodyEncoding, (byte)draft.BodyEncoding);
        map.Add(PropertyKind.Tag, draft.Tag);
        var keys = draft.Keys;
        for (var i = 0; i < keys.Count; i++)
        {
            map.Add(PropertyKind.Key, keys[i]);
        }

        var properties = draft.UserProperties;
        for (var i = 0; i < properties.Count; i++)
        {
            map.AddUserProperty(properties[i].Key, properties[i].Value);
        }

        map.Add(PropertyKind.BornHost, draft.BornHost.Length == 0 ? null : draft.BornHost);
        map.Add(PropertyKind.MessageGroup, draft.MessageGroup);
        map.Add(PropertyKind.TraceContext, draft.TraceContext);
        map.Add(PropertyKind.LiteTopic, draft.LiteTopic);
        if (draft.Priority is { } priority)
        {
            map.Add(PropertyKind.Priority, priority);
        }

        map.End();
    }

    /// <summary>One entry; nothing for null.</summary>
    public static void Write(ByteWriter writer, PropertyKind kind, string? text)
    {
        if (text is not null)
        {
            writer.Byte((byte)kind);
            writer.Text(text);
        }
    }

    /// <summary>One entry of raw bytes.</summary>
    public static void Write(ByteWriter writer, PropertyKind kind, ReadOnlySpan<byte> content)
    {
        writer.Byte((byte)kind);
        writer.UInt16(content.Length);
        writer.Bytes(content);
    }

    private static long Measure(string? text) => text is null ? 0 : EntryHeaderBytes + Encoding.UTF8.GetByteCount(text);
}
