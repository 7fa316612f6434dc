namespace Dledger.Broker.Commands;

/// <summary>One delivered message inside its group and topic.</summary>
/// <param name="QueueId">The queue.</param>
/// <param name="Offset">The queue offset.</param>
/// <param name="DeliveryId">Log position of the Lease record that handed it out.</param>
internal readonly record struct DeliveryReference(int QueueId, long Offset, long DeliveryId)
{
    public const int EncodedBytes = 20;

    public void Write(ByteWriter writer)
    {
        writer.Int32(QueueId);
        writer.Int64(Offset);
        writer.Int64(DeliveryId);
    }

    public static DeliveryReference Read(ref ByteReader reader) =>
        new(reader.Int32(), reader.Int64(), reader.Int64());
}
