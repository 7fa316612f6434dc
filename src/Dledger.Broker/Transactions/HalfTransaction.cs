namespace Dledger.Broker.Transactions;

/// <summary>A transaction that is not decided: its messages are stored and in no queue. Replicated state, owned by the apply loop.</summary>
internal sealed class HalfTransaction
{
    /// <summary>The log position of its first message.</summary>
    public required long Id { get; init; }

    public required int TopicId { get; init; }

    /// <summary>The queue that its messages join.</summary>
    public required int QueueId { get; init; }

    /// <summary>The producer's id of its first message.</summary>
    public required string MessageId { get; init; }

    /// <summary>Log time.</summary>
    public required long StoredAt { get; init; }

    /// <summary>How many messages it has; they arrive in one frame.</summary>
    public required int Count { get; init; }

    /// <summary>Log time of the next check.</summary>
    public required long NextCheckAt { get; set; }

    /// <summary>How often its producers were asked.</summary>
    public int Checks { get; set; }

    /// <summary>Its messages, in the producer's order.</summary>
    public List<HalfPart> Parts { get; } = [];

    /// <summary>
    /// Messages that have joined their queue; below 0 unless it is being committed. Never set between two frames: what is committed
    /// comes with its copies in one.
    /// </summary>
    public int Published { get; set; } = -1;
}
