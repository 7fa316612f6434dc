using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;
using Dledger.Storage.Records;

namespace Dledger.Broker.Lites;

/// <summary>What the records of lite topics do to the state: a function of state and record.</summary>
internal static class LiteApplier
{
    /// <summary>Makes a lite topic unless it exists. Null on success.</summary>
    public static BrokerFailure? Create(BrokerState state, LiteCreateCommand command)
    {
        if (state.Topics.Find(command.TopicId) is not { Lites: { } lites } topic)
        {
            return new BrokerFailure(BrokerError.TopicNotFound, "the topic was deleted");
        }

        if (lites.FindQueue(command.Name) is not null)
        {
            return null;
        }

        var countMax = topic.View.Lite.CountMax;
        if (lites.Count >= countMax)
        {
            return BrokerFailure.Of(new Violation(
                BrokenRule.LiteTopicQuota,
                $"the topic '{topic.View.Name}' has {lites.Count} lite topics; {countMax} are allowed"));
        }

        var queueId = lites.NextQueueId;
        state.Topics.AddLiteQueues(topic, queueId + 1);
        lites.Add(new LiteTopic(command.Name, queueId, state.LogTime, topic.Queues[queueId].Max));
        return null;
    }

    /// <summary>Ends lite topics, all of them when it is forced, else those that are over. The names that ended.</summary>
    public static List<string> End(BrokerState state, LiteEndCommand command, SeededDefect defect)
    {
        var ended = new List<string>();
        if (state.Topics.Find(command.TopicId) is not { Lites: { } lites } topic)
        {
            return ended;
        }

        foreach (var name in command.Names)
        {
            if (lites.TryFind(name, out var lite)
                && (command.IsForced
                    || (lite.LastActive + topic.View.Lite.ExpiryMicroseconds <= state.LogTime && IsOver(topic, lite, defect))))
            {
                if (defect != SeededDefect.LiteEndKeepsMessages)
                {
                    state.EmptyQueue(topic, lite.QueueId);
                }

                lites.Remove(lite);
                ended.Add(name);
            }
        }

        return ended;
    }

    /// <summary>
    /// Whether nobody will miss its messages: it has none, or a group has finished them and so has every other that began to read them.
    /// </summary>
    public static bool IsOver(TopicState topic, LiteTopic lite, SeededDefect defect)
    {
        var queue = topic.Queues[lite.QueueId];
        if (queue.Min == queue.Max || defect == SeededDefect.LiteEndedUnread)
        {
            return true;
        }

        var isRead = false;
        foreach (var subscription in topic.Subscriptions.Values)
        {
            var cursor = subscription.Cursors[lite.QueueId];
            if (cursor.Commit >= queue.Max && cursor.AsideCount == 0)
            {
                isRead = true;
            }
            else if (cursor.Commit > lite.FirstOffset || cursor.Next > cursor.Commit || cursor.AsideCount > 0)
            {
                return false;
            }
        }

        return isRead;
    }

    /// <summary>
    /// Whether a message may join the queue that it names: it was encoded for a lite topic that may have ended since, and the queue may
    /// be another's. Notes the message as a sign of life.
    /// </summary>
    public static BrokerFailure? Admit(TopicState topic, in RecordView record, long logTime)
    {
        if (topic.Lites is not { } lites)
        {
            return null;
        }

        if (lites.OfQueue(record.QueueId) is not { } lite
            || !RecordCopy.TryFind(record, PropertyKind.LiteTopic, out var name)
            || !lite.IsNamed(name))
        {
            return new BrokerFailure(
                BrokerError.TopicNotFound, "the lite topic ended meanwhile; send again", Rule: BrokenRule.LiteTopic);
        }

        lite.LastActive = logTime;
        return null;
    }
}
