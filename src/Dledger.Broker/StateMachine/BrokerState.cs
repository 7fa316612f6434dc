using Dledger.Broker.Broadcasting;
using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Letters;
using Dledger.Broker.Timers;
using Dledger.Broker.Topics;
using Dledger.Broker.Transactions;
using Dledger.Primitives;
using Dledger.Storage.Queues;

namespace Dledger.Broker.StateMachine;

/// <summary>
/// All replicated state of one Raft group: a function of the applied records and nothing else. Owned by the apply loop.
/// </summary>
internal sealed class BrokerState(
    ConsumeQueueStore queues,
    SeededDefect defect = SeededDefect.None,
    int timerMemoryMax = BrokerOptions.TimerMemoryMaxDefault,
    int timerChunkBits = BrokerOptions.TimerChunkBitsDefault)
{
    public ConsumeQueueStore Queues { get; } = queues;

    public TopicTable Topics { get; } = new(queues);

    public GroupTable Groups { get; } = new();

    public LeaseTable Leases { get; } = new(defect);

    public ProducerTable Producers { get; } = new();

    /// <summary>Dead letters that were sent again.</summary>
    public ResentLetters Resent { get; } = new(defect);

    public TransactionTable Transactions { get; } = new(defect);

    /// <summary>Delayed messages that wait for their time.</summary>
    public TimerTable Timers { get; } = new(queues, timerMemoryMax, timerChunkBits);

    /// <summary>Log time of the newest applied frame, microseconds since 1970 (UTC).</summary>
    public long LogTime { get; set; }

    /// <summary>Records before it are forgotten; where the log of each node may begin once its checkpoints allow it.</summary>
    public LogPosition LogStart { get; set; }

    /// <summary>
    /// Forgets the messages whose records lie before a position. Deliveries of them end, whatever their state; groups that had not
    /// read them go on behind. What waits for its delivery time keeps its record, whatever the leader knew.
    /// </summary>
    public void AdvanceLogStart(LogPosition start)
    {
        start = LogPosition.Min(start, Timers.OldestNeeded ?? start);
        if (start <= LogStart)
        {
            return;
        }

        LogStart = start;
        Transactions.Forget(start, LogTime);
        foreach (var topic in Topics.All)
        {
            foreach (var queue in topic.Queues)
            {
                var min = queue.AdvanceMin(start);
                Resent.ForgetBelow(topic.Id, queue.QueueId, min);
                foreach (var subscription in topic.Subscriptions.Values)
                {
                    Leases.DropBelow(subscription.Cursors[queue.QueueId], min);
                }
            }
        }
    }

    /// <summary>
    /// Forgets the messages before the wanted offsets of one topic; what has begun with them ends as when the log's start advances.
    /// Nothing happens when the topic is gone or wishes another retention by now: it may keep longer than the leader knew.
    /// </summary>
    public void TrimTopic(TopicTrimCommand command)
    {
        if (Topics.Find(command.TopicId) is not { } topic || topic.View.Retention != command.Retention)
        {
            return;
        }

        foreach (var (queueId, wanted) in command.Queues)
        {
            if (queueId < 0 || queueId >= topic.Queues.Count)
            {
                continue;
            }

            var min = topic.Queues[queueId].AdvanceMinTo(wanted);
            Resent.ForgetBelow(topic.Id, queueId, min);
            foreach (var subscription in topic.Subscriptions.Values)
            {
                Leases.DropBelow(subscription.Cursors[queueId], min);
            }
        }
    }

    /// <summary>Forgets all messages of a queue; what has begun with them ends.</summary>
    public void EmptyQueue(TopicState topic, int queueId)
    {
        var min = topic.Queues[queueId].AdvanceMinTo(topic.Queues[queueId].Max);
        Resent.ForgetBelow(topic.Id, queueId, min);
        foreach (var subscription in topic.Subscriptions.Values)
        {
            Leases.DropBelow(subscription.Cursors[queueId], min);
        }
    }

    /// <summary>A group's progress in a topic; null when either is unknown or the group never read the topic.</summary>
    public Subscription? FindSubscription(int groupId, int topicId) =>
        Groups.Find(groupId)?.Subscriptions.GetValueOrDefault(topicId);

    /// <summary>
    /// A group's progress in a topic, begun where it does not exist; a failure when either is unknown.
    /// </summary>
    public (Subscription? Subscription, BrokerFailure? Failure) Subscribe(int groupId, int topicId)
    {
        if (FindSubscription(groupId, topicId) is { } known)
        {
            return (known, null);
        }

        if (Topics.Find(topicId) is not { } topic)
        {
            return (null, new BrokerFailure(BrokerError.TopicNotFound, "the topic was deleted"));
        }

        if (Groups.Find(groupId) is not { } group)
        {
            return (null, new BrokerFailure(BrokerError.GroupNotFound, "the consumer group was deleted"));
        }

        var subscription = new Subscription(group, topic, defect);
        group.Subscriptions.Add(topicId, subscription);
        topic.Subscriptions.Add(groupId, subscription);
        return (subscription, null);
    }

    /// <summary>Applies a ResetOffset record of the subscribing form.</summary>
    public void SubscribeAtEnd(in SubscribeCommand command)
    {
        if (FindSubscription(command.GroupId, command.TopicId) is null
            && Subscribe(command.GroupId, command.TopicId).Subscription is { } subscription)
        {
            subscription.StartAtEnd();
        }
    }

    /// <summary>Deletes a topic with all progress in it. Null when there is none.</summary>
    public TopicState? DeleteTopic(string name)
    {
        if (Topics.Remove(name) is not { } topic)
        {
            return null;
        }

        Leases.Forget(subscription => ReferenceEquals(subscription.Topic, topic));
        Leases.ForgetObligations(obligation => obligation.TopicId == topic.Id);
        Producers.ForgetTopic(topic.Id);
        Resent.Forget(topic.Id);
        Transactions.ForgetTopic(topic.Id);
        foreach (var subscription in topic.Subscriptions.Values)
        {
            subscription.Group.Processed.FreeAll(place => place.TopicId == topic.Id);
            subscription.Group.Subscriptions.Remove(topic.Id);
        }

        return topic;
    }

    /// <summary>
    /// Ends member groups of broadcast groups whose clients are gone. Those that were used since the leader looked, whose silence is too
    /// short, or which owe dead letters stay. The answer is which ended.
    /// </summary>
    public List<GroupState> EndMembers(BroadcastEndCommand command)
    {
        var ended = new List<GroupState>();
        foreach (var end in command.Members)
        {
            if (Groups.Find(end.Id) is { Owner: not null } member
                && member.UsedAt == end.UsedAt
                && (end.HasLeft || BroadcastDuty.SilenceEnds(member) <= LogTime)
                && member.Subscriptions.Values.All(each => each.Cursors.All(static cursor => cursor.ObligedCount == 0)))
            {
                Groups.Remove(member);
                Forget(member);
                ended.Add(member);
            }
        }

        return ended;
    }

    /// <summary>Deletes a group with all its progress and its members. Null when there is none.</summary>
    public GroupState? DeleteGroup(string name)
    {
        if (Groups.Find(name) is not { } group)
        {
            return null;
        }

        foreach (var member in group.Members.Values.ToList())
        {
            Groups.Remove(member);
            Forget(member);
        }

        Groups.Remove(name);
        Forget(group);
        return group;
    }

    private void Forget(GroupState group)
    {
        var groupId = group.View.Id;
        Leases.Forget(subscription => ReferenceEquals(subscription.Group, group));
        Leases.ForgetObligations(obligation => obligation.GroupId == groupId);
        foreach (var subscription in group.Subscriptions.Values)
        {
            subscription.Topic.Subscriptions.Remove(groupId);
        }
    }
}
