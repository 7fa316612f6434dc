using Dledger.Broker.Naming;
using Dledger.Broker.Topics;

namespace Dledger.Broker.Offsets;

/// <summary>The rules of queues and offsets that callers name.</summary>
internal static class OffsetRules
{
    /// <summary>Null when the topic has the queue.</summary>
    public static Violation? CheckQueue(TopicView topic, int queueId) => queueId >= 0 && queueId < topic.QueueEnd
        ? null
        : new Violation(
            BrokenRule.QueueId,
            $"the topic '{topic.Name}' has no queue {queueId}; its queues are 0 to {topic.QueueEnd - 1}");

    /// <summary>An offset that the queue does not have.</summary>
    public static Violation Outside(string topic, int queueId, long offset, long min, long max) => new(
        BrokenRule.Offset,
        $"offset {offset} lies outside of queue {queueId} of topic '{topic}'; {min} to {max} are allowed");
}
