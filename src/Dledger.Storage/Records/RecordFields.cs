using Dledger.Primitives;

namespace Dledger.Storage.Records;

/// <summary>What the writer of a record says about it, beside key, properties and body.</summary>
public readonly record struct RecordFields
{
    public RecordKind Kind { get; init; }

    public int TopicId { get; init; }

    public int QueueId { get; init; }

    /// <summary>0 without a tag.</summary>
    public long TagHash { get; init; }

    /// <summary>Microseconds since the Unix epoch.</summary>
    public long BornTime { get; init; }

    /// <summary>0 to 65,535.</summary>
    public int ProducerEpoch { get; init; }

    public long ProducerId { get; init; }

    public int Sequence { get; init; }

    public bool BodyCompressed { get; init; }

    public bool Replaces { get; init; }

    /// <summary>Microseconds since the Unix epoch.</summary>
    public long? DeliverAt { get; init; }

    public long? GroupHash { get; init; }

    /// <summary>Where the half message lies.</summary>
    public LogPosition? TransactionReference { get; init; }

    public UInt128? MessageIdHash { get; init; }

    /// <summary>The flag byte that these fields make.</summary>
    public RecordFlags Flags =>
        (DeliverAt.HasValue ? RecordFlags.DeliverAt : 0)
        | (GroupHash.HasValue ? RecordFlags.GroupHash : 0)
        | (TransactionReference.HasValue ? RecordFlags.TransactionReference : 0)
        | (MessageIdHash.HasValue ? RecordFlags.MessageIdHash : 0)
        | (BodyCompressed ? RecordFlags.BodyCompressed : 0)
        | (Replaces ? RecordFlags.Replaces : 0);
}
