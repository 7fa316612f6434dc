namespace Dledger.Broker.Groups;

/// <summary>What a receipt still stands for.</summary>
internal enum DeliveryVerdict
{
    /// <summary>The message is leased by this delivery.</summary>
    Live,

    /// <summary>The message is finished for the group, by whatever delivery.</summary>
    Finished,

    /// <summary>The message was never delivered so, or became visible again since.</summary>
    Stale,
}

/// <summary>What a Forward record did.</summary>
internal enum ForwardVerdict
{
    /// <summary>The record is the copy: it joins the dead letter topic.</summary>
    Copied,

    /// <summary>The message was finished before; the record is ignored.</summary>
    Repeated,

    /// <summary>The delivery is no longer valid; the record is ignored.</summary>
    Stale,
}
