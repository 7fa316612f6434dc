namespace Dledger.Broker.Commands;

/// <summary>Body of an Ack record: deliveries that are finished for a group. Layout: FORMAT.md.</summary>
internal sealed record AckCommand(int GroupId, int TopicId, IReadOnlyList<DeliveryReference> Deliveries)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter(16 + (Deliveries.Count * DeliveryReference.EncodedBytes));
        writer.Byte(FormatVersion);
        writer.Int32(GroupId);
        writer.Int32(TopicId);
        writer.Int32(Deliveries.Count);
        foreach (var delivery in Deliveries)
        {
            delivery.Write(writer);
        }

        return writer.ToArray();
    }

    public static AckCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var groupId = reader.Int32();
        var topicId = reader.Int32();
        var deliveries = new DeliveryReference[reader.Count(DeliveryReference.EncodedBytes)];
        for (var i = 0; i < deliveries.Length; i++)
        {
            deliveries[i] = DeliveryReference.Read(ref reader);
        }

        reader.End();
        return new AckCommand(groupId, topicId, deliveries);
    }
}
