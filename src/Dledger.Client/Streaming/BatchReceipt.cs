namespace Dledger.Client.Streaming;

/// <summary>The promise of the cluster: all messages of the batch are stored by a majority, in order, in one queue.</summary>
/// <param name="QueueId">The queue; -1 when a repeat was stored before and that is forgotten.</param>
/// <param name="FirstOffset">Place of the first message in its queue, counted from 0 without a gap.</param>
/// <param name="Count">How many there are.</param>
public sealed record BatchReceipt(int QueueId, long FirstOffset, int Count)
{
    /// <summary>Places one by one, where they do not follow from the first.</summary>
    internal IReadOnlyList<long>? Offsets { get; init; }

    /// <summary>For delayed messages.</summary>
    internal IReadOnlyList<string>? RecallHandles { get; init; }

    /// <summary>
    /// The place of a message of the batch; -1 while it waits for its delivery time, or when a repeat was stored before and that is
    /// forgotten.
    /// </summary>
    public long OffsetOf(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return Offsets is { } offsets ? offsets[index] : FirstOffset + index;
    }
}
