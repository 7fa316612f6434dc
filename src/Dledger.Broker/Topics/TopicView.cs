using Dledger.Broker.Idempotence;
using Dledger.Broker.Lites;
using Dledger.Broker.Messages;

namespace Dledger.Broker.Topics;

/// <summary>A topic as it exists: an immutable snapshot, any thread.</summary>
/// <param name="Id">The number that records carry; never used twice.</param>
/// <param name="Name">Its name.</param>
/// <param name="QueueCount">Its queues are numbered 0 to <paramref name="QueueCount"/> - 1.</param>
/// <param name="AcceptedTypes">What producers may send to it.</param>
/// <param name="CreatedAtMicroseconds">Log time of its creation.</param>
public sealed record TopicView(
    int Id, string Name, int QueueCount, MessageTypeSet AcceptedTypes, long CreatedAtMicroseconds)
{
    /// <summary>What else can be changed.</summary>
    public TopicSettings Settings { get; init; } = TopicSettings.Default;

    /// <summary>Whether its queues are bands of priority, of which the last is served first.</summary>
    public bool IsPriority => AcceptedTypes == MessageTypeSet.Priority;

    /// <summary>Whether it is the parent of lite topics, each of which has a queue of its own.</summary>
    public bool IsLite => AcceptedTypes == MessageTypeSet.Lite;

    /// <summary>How many lite topics it has now; 0 for a topic of another type.</summary>
    public int LiteCount => Lites?.Count ?? 0;

    /// <inheritdoc cref="TopicSettings.Lite"/>
    public LiteSettings Lite => Settings.Lite;

    /// <summary>The lite topics; null for a topic of another type.</summary>
    internal LiteTable? Lites { get; init; }

    /// <summary>The queue ids below it exist, those of lite topics included.</summary>
    internal int QueueEnd => Math.Max(QueueCount, Lites?.QueueCount ?? 0);

    /// <inheritdoc cref="TopicSettings.Retention"/>
    public TopicRetention Retention => Settings.Retention;

    /// <inheritdoc cref="TopicSettings.IdWindow"/>
    public IdWindowSettings IdWindow => Settings.IdWindow;

    /// <summary>The queue of a priority: the highest takes all that lies above it.</summary>
    public int BandOf(int? priority) => Math.Min(priority ?? 0, QueueCount - 1);
}
