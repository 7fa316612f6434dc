using Dledger.Broker.Messages;

namespace Dledger.Broker.Commands;

/// <summary>How an upsert treats a thing that exists, and one that does not. Persisted numbers.</summary>
internal enum UpsertMode : byte
{
    /// <summary>It must not exist.</summary>
    Create = 0,

    /// <summary>Created when missing, else left alone.</summary>
    Ensure = 1,

    /// <summary>It must exist.</summary>
    Update = 2,
}

/// <summary>Body of a TopicUpsert record. Layout: FORMAT.md.</summary>
internal readonly record struct TopicUpsertCommand(
    UpsertMode Mode, string Name, int QueueCount, MessageTypeSet AcceptedTypes)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Byte((byte)Mode);
        writer.Byte(AcceptedTypes.Bits);
        writer.Int32(QueueCount);
        writer.Text(Name);
        return writer.ToArray();
    }

    public static TopicUpsertCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var mode = (UpsertMode)reader.Byte();
        var types = new MessageTypeSet(reader.Byte());
        var queueCount = reader.Int32();
        var name = reader.Text();
        reader.End();
        return new TopicUpsertCommand(mode, name, queueCount, types);
    }
}
