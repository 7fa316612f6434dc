using Dledger.Broker.Groups;

namespace Dledger.Broker.Surveys;

/// <summary>A group that reads a topic.</summary>
/// <param name="Group">As it is.</param>
/// <param name="Topic">The topic's name.</param>
/// <param name="Members">Its living clients that ask for the topic, as this leader heard of them, by client id.</param>
public sealed record GroupSubscription(GroupView Group, string Topic, IReadOnlyList<GroupMember> Members);

/// <summary>Store times around a group's place in a queue, in microseconds since 1970 (UTC); null where there is no such message.</summary>
/// <param name="Topic">The topic's name.</param>
/// <param name="QueueId">The queue.</param>
/// <param name="First">Of the oldest message that is kept.</param>
/// <param name="Last">Of the newest message.</param>
/// <param name="Finished">Of the newest message before which everything is finished, itself included.</param>
/// <param name="Next">Of the oldest message that is not finished.</param>
public sealed record QueueTimes(string Topic, int QueueId, long? First, long? Last, long? Finished, long? Next);

/// <summary>Offsets of one queue, from one on up to and without another.</summary>
public readonly record struct OffsetRange(int QueueId, long From, long To)
{
    public long Count => Math.Max(0, To - From);
}
