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

    CommitOffset = 0x30,
    ResetOffset = 0x31,

    Lease = 0x40,
    Ack = 0x41,
    ChangeInvisible = 0x42,

    /// <summary>Move to the dead letter queue by decision of the client.</summary>
    Forward = 0x43,

    EndTransaction = 0x50,

    TimerCancel = 0x60,
    Relocate = 0x61,

    InitProducer = 0x70,

    /// <summary>A dead letter is sent to its origin topic again: a copy of it.</summary>
    Resend = 0x78,
}
