namespace Dledger.Broker;

/// <summary>Why the broker did not do what was asked. Expected outcomes, never exceptions.</summary>
public enum BrokerError
{
    /// <summary>No error; the value of an unset failure.</summary>
    None = 0,

    /// <summary>This node does not lead. Nothing happened; ask the named leader.</summary>
    NotLeader,

    /// <summary>A bounded queue is full. Nothing happened; try again later.</summary>
    Busy,

    /// <summary>The leader's disk is nearly full: it takes no more messages. Nothing happened.</summary>
    DiskFull,

    /// <summary>The proposal was cut off by a change of leadership: it may appear in the log once, or never.</summary>
    OutcomeUnknown,

    /// <summary>The node cannot serve at all (no majority, damaged log). Nothing happened.</summary>
    Unavailable,

    /// <summary>The node is shutting down. Nothing happened.</summary>
    Stopping,

    /// <summary>No topic of this name, and topics are not created on use.</summary>
    TopicNotFound,

    /// <summary>No consumer group of this name, and groups are not created on use.</summary>
    GroupNotFound,

    /// <summary>A topic of this name exists and the request forbids to change it.</summary>
    AlreadyExists,

    /// <summary>The topic does not accept messages of this type.</summary>
    MessageTypeMismatch,

    /// <summary>The receipt handle is forged, garbled, or its message became visible again since.</summary>
    InvalidHandle,

    /// <summary>The transaction id is none of this cluster, or the transaction ended otherwise already.</summary>
    InvalidTransaction,

    /// <summary>The message or batch is larger than the limit.</summary>
    TooLarge,

    /// <summary>A field is outside its rules; the detail names it and the limit.</summary>
    InvalidArgument,

    /// <summary>The client's filter differs from that of another client of its group, and the group does not allow it.</summary>
    SubscriptionMismatch,

    /// <summary>The producer was initialised again elsewhere. Nothing happened.</summary>
    ProducerFenced,

    /// <summary>No producer of this id, or it was unused for too long. Nothing happened.</summary>
    ProducerUnknown,

    /// <summary>A message before this one of the same producer and topic is missing. Nothing happened.</summary>
    SequenceOutOfOrder,

    /// <summary>The group has no offset in the queue: it never read it.</summary>
    OffsetNotFound,

    /// <summary>The request is well formed, but this version does not implement it.</summary>
    Unsupported,

    /// <summary>The message that is meant waits no more, or was never there.</summary>
    MessageNotFound,

    /// <summary>More than a topic, a group or a client may send or be given in a second. Nothing happened; try again later.</summary>
    QuotaExceeded,

    /// <summary>The topic has no route of this name.</summary>
    RouteNotFound,
}
