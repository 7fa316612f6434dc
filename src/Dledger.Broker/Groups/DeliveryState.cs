namespace Dledger.Broker.Groups;

/// <summary>Where one message stands for one group. Persisted in checkpoints.</summary>
internal enum DeliveryState : byte
{
    /// <summary>May be handed out: never delivered yet, or visible again.</summary>
    Waiting = 0,

    /// <summary>Handed out and invisible.</summary>
    Leased = 1,

    /// <summary>Finished for the group.</summary>
    Done = 2,

    /// <summary>Out of attempts; the leader owes a copy in the dead letter topic.</summary>
    Obliged = 3,

    /// <summary>Out of attempts and set aside until an operator decides.</summary>
    Parked = 4,

    /// <summary>Visible again only after the group's back-off; no receipt is good any more.</summary>
    Resting = 5,
}
