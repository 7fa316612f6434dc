namespace Dledger.Broker.Groups;

/// <summary>What a group knows of one message at or above its commit offset.</summary>
internal struct Delivery
{
    public DeliveryState State;

    /// <summary>Deliveries so far that count.</summary>
    public ushort Attempts;

    /// <summary>Log position of the Lease record of the newest delivery; 0 when there was none.</summary>
    public long DeliveryId;

    /// <summary>
    /// Not null exactly while <see cref="State"/> is <see cref="DeliveryState.Leased"/>: what ends the invisibility.
    /// </summary>
    public Lease? Lease;
}
