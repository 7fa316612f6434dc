namespace Dledger.Broker.Commands;

/// <summary>Why a message was finished without being given to anybody. Persisted: the numbers never change.</summary>
internal enum UnseenReason : byte
{
    /// <summary>The filter of the group does not want it.</summary>
    Filter = 1,

    /// <summary>Its time to live was over.</summary>
    TimeToLive = 2,
}

/// <summary>Body of a FinishUnseen record: deliveries that no receiver was given, finished for a group. Layout: FORMAT.md.</summary>
internal sealed record FinishUnseenCommand(
    UnseenReason Reason, int GroupId, int TopicId, IReadOnlyList<DeliveryReference> Deliveries)
{
    private const byte FormatVersion = 2;

    public byte[] Encode()
    {
        var writer = new ByteWriter(16 + (Deliveries.Count * DeliveryReference.EncodedBytes));
        writer.Byte(FormatVersion);
        writer.Byte((byte)Reason);
        writer.Int32(GroupId);
        writer.Int32(TopicId);
        writer.Int32(Deliveries.Count);
        foreach (var delivery in Deliveries)
        {
            delivery.Write(writer);
        }

        return writer.ToArray();
    }

    public static FinishUnseenCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var reason = (UnseenReason)reader.Byte();
        var groupId = reader.Int32();
        var topicId = reader.Int32();
        var deliveries = new DeliveryReference[reader.Count(DeliveryReference.EncodedBytes)];
        for (var i = 0; i < deliveries.Length; i++)
        {
            deliveries[i] = DeliveryReference.Read(ref reader);
        }

        reader.End();
        return new FinishUnseenCommand(reason, groupId, topicId, deliveries);
    }
}
