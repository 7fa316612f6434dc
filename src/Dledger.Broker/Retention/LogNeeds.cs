using Dledger.Broker.StateMachine;
using Dledger.Primitives;

namespace Dledger.Broker.Retention;

/// <summary>What the topics' own retention and the disk say about the log's head. The default says nothing.</summary>
/// <param name="OldestKept">
/// Oldest message of the topics that keep longer than the cluster: age takes nothing behind it. Null: no such topic has a message.
/// </param>
/// <param name="OldestOfAll">
/// Oldest message of all topics: what lies before it is nobody's, however young. Null: not looked for.
/// </param>
/// <param name="ExcessBytes">Bytes that the disk has too many; 0 or less: none.</param>
internal readonly record struct LogNeeds(LogPosition? OldestKept, LogPosition? OldestOfAll, long ExcessBytes)
{
    /// <summary>Looks at the head of every queue, but only where a topic has a retention of its own.</summary>
    public static LogNeeds Of(BrokerState state, TimeSpan clusterTime, long excessBytes)
    {
        if (!state.Topics.All.Any(topic => topic.View.Retention.IsSet))
        {
            return new LogNeeds(null, null, excessBytes);
        }

        LogPosition? kept = null;
        var oldest = new LogPosition(long.MaxValue);
        foreach (var topic in state.Topics.All)
        {
            var outlasts = topic.View.Retention.OutlastsCluster(clusterTime);
            foreach (var queue in topic.Queues)
            {
                if (queue.Head is { } head)
                {
                    oldest = LogPosition.Min(oldest, head);
                    kept = outlasts ? LogPosition.Min(kept ?? head, head) : kept;
                }
            }
        }

        return new LogNeeds(kept, oldest, excessBytes);
    }
}
