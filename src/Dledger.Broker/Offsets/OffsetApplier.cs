using Dledger.Broker.Commands;
using Dledger.Broker.StateMachine;

namespace Dledger.Broker.Offsets;

/// <summary>What the records that move a group do to the state. Owned by the apply loop.</summary>
internal static class OffsetApplier
{
    /// <summary>Takes a group to other offsets; what was in flight there is cut off.</summary>
    public static SeekOutcome Seek(BrokerState state, SeekCommand command)
    {
        var (subscription, failure) = state.Subscribe(command.GroupId, command.TopicId);
        if (subscription is null)
        {
            return SeekOutcome.Of(failure!.Value);
        }

        var done = new List<QueueSeek>(command.Queues.Count);
        foreach (var (queueId, offset) in command.Queues)
        {
            if (queueId < 0 || queueId >= subscription.Cursors.Count)
            {
                continue;
            }

            var cursor = subscription.Cursors[queueId];
            var seek = SeekPlan.Of(cursor, offset);
            if (seek.To < cursor.Next)
            {
                // Who goes back wants the messages again.
                subscription.Group.Processed.Forget();
            }

            state.Leases.Reset(cursor, seek.To);
            done.Add(seek);
        }

        return new SeekOutcome(null, done);
    }

    /// <summary>Finishes everything below the offsets.</summary>
    public static BrokerFailure? Commit(BrokerState state, CommitOffsetCommand command)
    {
        var (subscription, failure) = state.Subscribe(command.GroupId, command.TopicId);
        if (subscription is null)
        {
            return failure;
        }

        foreach (var (queueId, offset) in command.Queues)
        {
            if (queueId >= 0 && queueId < subscription.Cursors.Count)
            {
                var cursor = subscription.Cursors[queueId];
                state.Leases.DropBelow(cursor, SeekPlan.Clamp(cursor, offset));
            }
        }

        return null;
    }
}
