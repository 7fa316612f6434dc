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
/// <param name="Mode">What it is.</param>
/// <param name="Name">The topic.</param>
/// <param name="QueueCount">0 in an update: as it is.</param>
/// <param name="AcceptedTypes">Empty in an update: as they are.</param>
/// <param name="Settings">Those that differ from the defaults; in an update those that change.</param>
internal sealed record TopicUpsertCommand(
    UpsertMode Mode, string Name, int QueueCount, MessageTypeSet AcceptedTypes, IReadOnlyList<Setting> Settings)
{
    private const byte FormatVersion = 3;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Byte((byte)Mode);
        writer.Byte(AcceptedTypes.Bits);
        writer.Int32(QueueCount);
        writer.Text(Name);
        Setting.Write(writer, Settings);
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
        var settings = Setting.Read(ref reader);
        reader.End();
        return new TopicUpsertCommand(mode, name, queueCount, types, settings);
    }
}
