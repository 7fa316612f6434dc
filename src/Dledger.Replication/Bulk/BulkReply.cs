namespace Dledger.Replication.Bulk;

/// <summary>How a bulk request ended at the node that was asked. Sent: the numbers never change.</summary>
public enum BulkOutcome : byte
{
    None = 0,

    /// <summary>The bytes are there.</summary>
    Found = 1,

    /// <summary>What was asked for lies before the start of the log, or the snapshot is not open any more.</summary>
    Gone = 2,

    /// <summary>Nothing committed begins at that position, as far as this node knows.</summary>
    NotThere = 3,

    /// <summary>The node cannot serve it now: it is starting, repairs itself, or has no checkpoint.</summary>
    Unavailable = 4,
}

/// <summary>The answer to a <see cref="BulkRequest"/>.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Bytes">Empty unless found.</param>
public sealed record BulkReply(BulkOutcome Outcome, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>An answer without bytes.</summary>
    public static BulkReply Of(BulkOutcome outcome) => new(outcome, ReadOnlyMemory<byte>.Empty);

    /// <summary>The bytes that were asked for.</summary>
    public static BulkReply Found(ReadOnlyMemory<byte> bytes) => new(BulkOutcome.Found, bytes);
}
