using Dledger.Primitives;

namespace Dledger.Broker.Topics;

/// <summary>A topic with the state of its queues at one moment.</summary>
public sealed record TopicDescription(TopicView Topic, IReadOnlyList<QueueDescription> Queues);

/// <summary>
/// One queue: offsets from <paramref name="Min"/> on exist, up to and without <paramref name="Max"/>.
/// </summary>
public readonly record struct QueueDescription(int QueueId, QueueOffset Min, QueueOffset Max);
