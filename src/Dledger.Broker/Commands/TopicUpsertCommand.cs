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
/// <param name="RetentionMicroseconds">0: the cluster's; <see cref="Unchanged"/>: as it is, and none in a new topic.</param>
/// <param name="RetentionBytes">The same for the size.</param>
internal readonly record struct TopicUpsertCommand(
    UpsertMode Mode,
    string Name,
    int QueueCount,
    MessageTypeSet AcceptedTypes,
    long RetentionMicroseconds = TopicUpsertCommand.Unchanged,
    long RetentionBytes = TopicUpsertCommand.Unchanged)
{
    /// <summary>Stands for "as it is".</summary>
    public const long Unchanged = -1;

    private const byte WithoutRetention = 1;
    private const byte WithRetention = 2;

    // The first version says all that there is to say without the later things, and nodes that know only it must read it.
    private bool FitsFirstVersion =>
        RetentionMicroseconds == Unchanged && RetentionBytes == Unchanged && QueueCount != 0 && AcceptedTypes.Bits != 0;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FitsFirstVersion ? WithoutRetention : WithRetention);
        writer.Byte((byte)Mode);
        writer.Byte(AcceptedTypes.Bits);
        writer.Int32(QueueCount);
        writer.Text(Name);
        if (!FitsFirstVersion)
        {
            writer.Int64(RetentionMicroseconds);
            writer.Int64(RetentionBytes);
        }

        return writer.ToArray();
    }

    public static TopicUpsertCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        var hasRetention = reader.Version(WithoutRetention, WithRetention) == WithRetention;
        var mode = (UpsertMode)reader.Byte();
        var types = new MessageTypeSet(reader.Byte());
        var queueCount = reader.Int32();
        var name = reader.Text();
        var microseconds = hasRetention ? reader.Int64() : Unchanged;
        var bytes = hasRetention ? reader.Int64() : Unchanged;
        reader.End();
        return new TopicUpsertCommand(mode, name, queueCount, types, microseconds, bytes);
    }
}
