namespace Dledger.Broker.Groups;

/// <summary>What a group knows of one message that it has not finished, or finished out of order.</summary>
internal struct Delivery
{
    public DeliveryState State;

    /// <summary>Set exactly while <see cref="State"/> is <see cref="DeliveryState.Obliged"/>: why the message is given up.</summary>
    public Messages.DeadLetterReason Reason;

    /// <summary>Deliveries so far that count.</summary>
    public ushort Attempts;

    /// <summary>The message group, see <see cref="Messages.IndexHash"/>; 0 in groups that are not ordered.</summary>
    public int GroupHash;

    /// <summary>Log position of the Lease record of the newest delivery; 0 when there was none.</summary>
    public long DeliveryId;

    /// <summary>
    /// Not null exactly while <see cref="State"/> is <see cref="DeliveryState.Leased"/> or <see cref="DeliveryState.Resting"/>: what
    /// ends the invisibility.
    /// </summary>
    public Lease? Lease;
}
