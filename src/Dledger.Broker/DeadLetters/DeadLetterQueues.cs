using Dledger.Broker.Groups;
using Dledger.Broker.Naming;

namespace Dledger.Broker.DeadLetters;

/// <summary>
/// Which queue of a group's dead letter topic holds the dead letters of which topic: a queue for each, in the order of their first one.
/// </summary>
internal static class DeadLetterQueues
{
    /// <summary>The queue of an origin topic; when it has none yet, the one that it would get now. The last ones share when all are taken.</summary>
    public static int Of(GroupState group, int originTopicId)
    {
        var queues = QueuesOf(group);
        return queues.TryGetValue(originTopicId, out var queueId) ? queueId : Math.Min(queues.Count, Limits.QueueCountMax - 1);
    }

    /// <summary>Gives an origin topic its queue for good.</summary>
    public static void Assign(GroupState group, int originTopicId) =>
        QueuesOf(group).TryAdd(originTopicId, Of(group, originTopicId));

    // The members of a broadcast group share its dead letter topic.
    private static SortedDictionary<int, int> QueuesOf(GroupState group) => (group.Owner ?? group).DeadLetterQueues;
}
