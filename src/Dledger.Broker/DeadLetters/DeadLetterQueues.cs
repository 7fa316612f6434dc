using Dledger.Broker.Groups;
using Dledger.Broker.Naming;

namespace Dledger.Broker.DeadLetters;

/// <summary>
/// Which queue of a group's dead letter topic holds the dead letters of which topic: a queue for each, in the order of their first one.
/// </summary>
internal static class DeadLetterQueues
{
    /// <summary>The queue of an origin topic; when it has none yet, the one that it would get now. The last ones share when all are taken.</summary>
    public static int Of(GroupState group, int originTopicId) =>
        group.DeadLetterQueues.TryGetValue(originTopicId, out var queueId)
            ? queueId
            : Math.Min(group.DeadLetterQueues.Count, Limits.QueueCountMax - 1);

    /// <summary>Gives an origin topic its queue for good.</summary>
    public static void Assign(GroupState group, int originTopicId) =>
        group.DeadLetterQueues.TryAdd(originTopicId, Of(group, originTopicId));
}
