using System.Buffers.Binary;
using System.Text;
using Dledger.Broker.Commands;

namespace Dledger.Broker.Messages;

/// <summary>Writes a property map: entries of kind (1 byte), length (2 bytes), content. Layout: FORMAT.md.</summary>
internal static class PropertyWriter
{
    private const int EntryHeaderBytes = 3;

    /// <summary>Bytes that the properties of a draft take.</summary>
    public static long Measure(MessageDraft draft)
    {
        long bytes = 2 * (EntryHeaderBytes + 1);
        bytes += Measure(draft.Tag);
        foreach (var key in draft.Keys)
        {
            bytes += Measure(key);
        }

        foreach (var (key, value) in draft.UserProperties)
        {
            bytes += EntryHeaderBytes + 2 + Encoding.UTF8.GetByteCount(key) + (long)Encoding.UTF8.GetByteCount(value);
        }

        bytes += draft.BornHost.Length == 0 ? 0 : Measure(draft.BornHost);
        bytes += Measure(draft.MessageGroup);
        bytes += Measure(draft.TraceContext);
        bytes += Measure(draft.LiteTopic);
        bytes += draft.Priority is null ? 0 : EntryHeaderBytes + sizeof(int);
        return bytes;
    }

    /// <summary>The properties of a draft.</summary>
    public static void Write(ByteWriter writer, MessageDraft draft)
    {
        Write(writer, PropertyKind.MessageType, (byte)draft.Type);
        Write(writer, PropertyKind.BodyEncoding, (byte)draft.BodyEncoding);
        Write(writer, PropertyKind.Tag, draft.Tag);
        foreach (var key in draft.Keys)
        {
            Write(writer, PropertyKind.Key, key);
        }

        foreach (var (key, value) in draft.UserProperties)
        {
            writer.Byte((byte)PropertyKind.UserProperty);
            writer.UInt16(2 + Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value));
            writer.Text(key);
            writer.Bytes(Encoding.UTF8.GetBytes(value));
        }

        Write(writer, PropertyKind.BornHost, draft.BornHost.Length == 0 ? null : draft.BornHost);
        Write(writer, PropertyKind.MessageGroup, draft.MessageGroup);
        Write(writer, PropertyKind.TraceContext, draft.TraceContext);
        Write(writer, PropertyKind.LiteTopic, draft.LiteTopic);
        if (draft.Priority is { } priority)
        {
            Span<byte> content = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(content, priority);
            Write(writer, PropertyKind.Priority, content);
        }
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

    private static void Write(ByteWriter writer, PropertyKind kind, byte value) => Write(writer, kind, [value]);

    private static long Measure(string? text) => text is null ? 0 : EntryHeaderBytes + Encoding.UTF8.GetByteCount(text);
}
