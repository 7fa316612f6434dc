namespace Dledger.Storage.Records;

/// <summary>
/// What a record is. Persisted: the numbers never change; a kind that a node does not know stops its apply loop.
/// </summary>
public enum RecordKind : byte
{
    /// <summary>No record has this kind.</summary>
    None = 0,

    Message = 0x01,
    HalfMessage = 0x02,

    /// <summary>Messages of one queue that their producer compressed together; see <see cref="BatchTable"/>.</summary>
    MessageBatch = 0x03,

    /// <summary>The only record of the first frame of a term.</summary>
    TermStart = 0x10,
    Configuration = 0x11,
    LogStartAdvance = 0x12,

    /// <summary>Moves the log's time forward so that due work is done.</summary>
    Tick = 0x13,
    ClusterVersion = 0x14,

    TopicUpsert = 0x20,
    TopicDelete = 0x21,
    GroupUpsert = 0x22,
    GroupDelete = 0x23,
    AclUpsert = 0x24,

    /// <summary>Messages of one topic are forgotten by its own retention.</summary>
    TopicTrim = 0x25,

    /// <summary>A consumer group is given nothing for a while, or again.</summary>
    GroupPause = 0x26,

    /// <summary>A client becomes a member of a broadcast group; members are still there.</summary>
    BroadcastJoin = 0x27,

    /// <summary>Members of broadcast groups end.</summary>
    BroadcastEnd = 0x28,

    /// <summary>A lite topic gets a queue of its parent.</summary>
    LiteCreate = 0x29,

    /// <summary>Lite topics go.</summary>
    LiteEnd = 0x2A,

    CommitOffset = 0x30,
    ResetOffset = 0x31,

    /// <summary>Messages that a group has finished wait for it again.</summary>
    Replay = 0x32,

    Lease = 0x40,
    Ack = 0x41,
    ChangeInvisible = 0x42,

    /// <summary>Move to the dead letter queue by decision of the client.</summary>
    Forward = 0x43,

    /// <summary>A receiver gives a message up; an operator decides about parked ones.</summary>
    Parking = 0x44,

    EndTransaction = 0x50,

    /// <summary>Undecided transactions are asked about, or given up.</summary>
    TransactionCheck = 0x51,

    /// <summary>The copy by which a half message joins its queue.</summary>
    TransactionPublish = 0x52,

    /// <summary>The copy of a half message that was given up.</summary>
    TransactionDiscard = 0x53,

    /// <summary>Pending delayed messages are taken back.</summary>
    TimerCancel = 0x60,

    /// <summary>The copy of a pending delayed message, further on in the log: it stays pending.</summary>
    Relocate = 0x61,

    /// <summary>The copy of a delayed message that is due: it joins its queue.</summary>
    TimerFire = 0x62,

    /// <summary>Pending delayed messages get another delivery time.</summary>
    TimerMove = 0x63,

    InitProducer = 0x70,

    /// <summary>Deliveries that no receiver was given are finished.</summary>
    FinishUnseen = 0x74,

    /// <summary>A dead letter is sent to its origin topic again: a copy of it.</summary>
    Resend = 0x78,
}
