namespace Dledger.Broker.Commands;

/// <summary>
/// Which delivery a Forward record moves to the dead letter topic; stored in the record's properties. Layout:
/// FORMAT.md.
/// </summary>
/// <param name="GroupId">The group that gives up.</param>
/// <param name="TopicId">The origin topic.</param>
/// <param name="Delivery">The message; a delivery id of 0 stands for "the state machine asked for it".</param>
internal readonly record struct ForwardReference(int GroupId, int TopicId, DeliveryReference Delivery)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Int32(GroupId);
        writer.Int32(TopicId);
        Delivery.Write(writer);
        return writer.ToArray();
    }

    public static ForwardReference Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        reader.Version(FormatVersion);
        var reference = new ForwardReference(reader.Int32(), reader.Int32(), DeliveryReference.Read(ref reader));
        reader.End();
        return reference;
    }
}
