using Dledger.Broker.Commands;
using Dledger.Broker.Proposals;
using Dledger.Broker.Routes;
using Dledger.Broker.StateMachine;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Timers;

/// <summary>Applies the records that concern delayed messages. Owned by the apply loop.</summary>
internal sealed class TimerApplier(BrokerState state, LeaderDuties duties, SeededDefect defect)
{
    private readonly RouteApplier _routes = new(state, duties);

    /// <summary>Lets a message wait whose delivery time lies ahead; false when it is to be delivered at once.</summary>
    public bool TryDefer(in RecordView record, LogPosition position)
    {
        if (record.DeliverAt is not { } deliverAt)
        {
            return false;
        }

        var key = new TimerKey(TimerKey.TickOf(deliverAt), position.Value);
        if (key.DueAt <= state.LogTime)
        {
            return false;
        }

        state.Timers.Add(new TimerEntry(key, record.Length, record.TopicId));
        duties.Timers.Added(key);
        return true;
    }

    public void Apply(in RecordView record, LogPosition position, BrokerProposal? proposal)
    {
        switch (record.Kind)
        {
            case RecordKind.TimerFire:
                Fire(record, position);
                break;
            case RecordKind.Relocate:
                Relocate(record, position);
                break;
            case RecordKind.TimerCancel:
                SetOutcome(proposal, Cancel(TimerCancelCommand.Decode(record.Body)));
                break;
            default:
                SetOutcome(proposal, Move(TimerMoveCommand.Decode(record.Body)));
                break;
        }
    }

    private static void SetOutcome(BrokerProposal? proposal, TimerChange change) =>
        (proposal as CallerProposal<TimerChange>)?.SetOutcome(change);

    // The leader's clock may be ahead of the log's: what is not due by the log's time stays, and is proposed again.
    private void Fire(in RecordView record, LogPosition position)
    {
        var key = TimerReference.Read(record);
        var isDue = key.DueAt <= state.LogTime || defect == SeededDefect.TimerFiredByWallClock;
        var isOwed = isDue && TryRemove(key);
        if (!isDue)
        {
            duties.Timers.Added(key);
        }

        if ((isOwed || defect == SeededDefect.TimerFiredTwice)
            && state.Topics.Find(record.TopicId) is { } topic
            && record.QueueId < topic.Queues.Count)
        {
            topic.Queues[record.QueueId].Append(position, record);
            duties.MessageAppended(topic.Id, record.QueueId);
            _routes.Apply(record, position);
        }
    }

    private void Relocate(in RecordView record, LogPosition position)
    {
        var key = TimerReference.Read(record);
        var origin = state.Timers.Moved.OriginOf(key);
        if (!TryRemove(key))
        {
            return;
        }

        var entry = new TimerEntry(key with { Position = position.Value }, record.Length, record.TopicId);
        state.Timers.Add(entry);
        duties.Timers.Added(entry.Key);
        if (origin is { } first)
        {
            state.Timers.Moved.Put(first, entry.Key);
        }
    }

    private TimerChange Cancel(TimerCancelCommand command)
    {
        var count = 0;
        foreach (var key in command.Keys)
        {
            count += TryRemove(key) ? 1 : 0;
        }

        return new TimerChange(count);
    }

    private TimerChange Move(TimerMoveCommand command)
    {
        var count = 0;
        foreach (var (key, origin, tick) in command.Moves)
        {
            var isKnown = state.Timers.Moved.OriginOf(key) is not null;
            if ((!isKnown && state.Timers.Moved.Count >= MovedTimers.CountMax)
                || !state.Timers.TryRemove(key, out var entry))
            {
                continue;
            }

            var moved = entry with { Key = key with { Tick = tick } };
            state.Timers.Add(moved);
            state.Timers.Moved.Put(origin, moved.Key);
            duties.Timers.Added(moved.Key);
            count++;
        }

        return new TimerChange(count);
    }

    private bool TryRemove(TimerKey key)
    {
        if (!state.Timers.TryRemove(key, out _))
        {
            return false;
        }

        state.Timers.Moved.Remove(key);
        return true;
    }
}
