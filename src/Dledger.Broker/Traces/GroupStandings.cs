using System.Globalization;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;

namespace Dledger.Broker.Traces;

/// <summary>Says where a message of a queue stands for a group. On the apply loop of the serving leader; changes nothing.</summary>
internal sealed class GroupStandings(
    BrokerStateMachine machine, BrokerOptions options, TopicState topic, DeliveredMessage message, ObstacleFinder obstacles)
{
    private readonly long _offset = message.QueueOffset.Value;

    public GroupTrace Describe(GroupState group)
    {
        var trace = new GroupTrace(group.View.DisplayName, TraceState.NeverRead, 0, 0, "", 0, "");
        var subscription = group.Subscriptions.GetValueOrDefault(topic.Id);
        trace = subscription is null
            ? trace with { Sentence = NeverRead(group) }
            : Describe(trace, group, subscription.Cursors[message.QueueId]);
        return WithObstacle(trace, group, subscription);
    }

    private string NeverRead(GroupState group) => obstacles.HasConsumers(group)
        ? "the group asks for this topic and was given nothing of it yet"
        : "the group has never read this topic: start a consumer that subscribes to it"
            + (group.View.Start == GroupStart.Latest ? "; it begins at the end, behind this message" : "");

    private GroupTrace WithObstacle(GroupTrace trace, GroupState group, Subscription? subscription)
    {
        if (trace.State is not (TraceState.NeverRead or TraceState.NotReached or TraceState.Available or TraceState.HeldBack
            or TraceState.WaitsForRetry))
        {
            return trace;
        }

        var ofGroup = obstacles.OfGroup(group, subscription);
        if (ofGroup is { } first)
        {
            // What is not reached or free for all waits for this; what has another reason has two.
            return trace.State is TraceState.HeldBack or TraceState.WaitsForRetry
                ? trace with { Sentence = $"{trace.Sentence}; besides, {first.Sentence}" }
                : trace with
                {
                    State = first.State,
                    UntilMicroseconds = first.UntilMicroseconds,
                    Sentence = trace.State == TraceState.Available ? first.Sentence : $"{first.Sentence}; {trace.Sentence}",
                };
        }

        if (trace.State is TraceState.HeldBack or TraceState.WaitsForRetry
            || (trace.State == TraceState.NeverRead && !obstacles.HasConsumers(group))
            || obstacles.OfMessage(group) is not { } own)
        {
            return trace;
        }

        return trace with
        {
            State = own.State == TraceState.Available ? trace.State : own.State,
            Sentence = trace.State == TraceState.Available ? own.Sentence : $"{trace.Sentence}; {own.Sentence}",
        };
    }

    private GroupTrace Describe(GroupTrace trace, GroupState group, QueueCursor cursor)
    {
        trace = trace with { MessagesAhead = CountAhead(cursor) };
        if (_offset >= cursor.Next)
        {
            return NotReached(trace, cursor);
        }

        if (!cursor.Contains(_offset))
        {
            return trace with { State = TraceState.Finished, Sentence = "finished for the group" };
        }

        ref readonly var delivery = ref cursor.At(_offset);
        trace = trace with { Attempts = delivery.Attempts };
        switch (delivery.State)
        {
            case DeliveryState.Done:
                return trace with { State = TraceState.Finished, Sentence = "finished for the group" };
            case DeliveryState.Obliged:
                return trace with
                {
                    State = TraceState.WaitsForDeadLetter,
                    Sentence = Held(group, cursor, _offset) + $": its copy in '{Names.DeadLetterTopic(group.View.Name)}' is being made",
                };
            case DeliveryState.Parked:
                return trace with { State = TraceState.Parked, Sentence = Held(group, cursor, _offset) };
            case DeliveryState.Leased or DeliveryState.Resting when delivery.Lease is { } lease:
                var isOrigin = delivery.State == DeliveryState.Leased && lease.IsOrigin;
                return trace with
                {
                    State = isOrigin ? TraceState.InFlight : TraceState.WaitsForRetry,
                    Client = delivery.State == DeliveryState.Leased ? TraceNames.OfClient(machine.Clients, lease.ClientHash) : "",
                    UntilMicroseconds = lease.Deadline,
                    Sentence = Held(group, cursor, _offset),
                };
            default:
                return cursor.Ready.Contains(_offset)
                    ? Available(trace, delivery.Attempts)
                    : Behind(trace, group, cursor, delivery.GroupHash);
        }
    }

    private GroupTrace NotReached(GroupTrace trace, QueueCursor cursor)
    {
        if (cursor.IsOrdered)
        {
            var groupHash = IndexHash.GroupOf(topic.Queues[message.QueueId].Read(_offset).TagHash);
            if (cursor.LaneOf(groupHash) is not null)
            {
                return Behind(trace, cursor.Subscription.Group, cursor, groupHash);
            }
        }

        if (_offset == cursor.Next)
        {
            return Available(trace, 0);
        }

        var sentence = $"not reached yet: {TraceNames.Count(_offset - cursor.Next, "message")} of its queue will be looked at before it, "
            + $"{TraceNames.Count(cursor.LeasedCount, "message")} of the queue are in flight";
        if (cursor.Next - cursor.Commit >= options.DeliveryWindow)
        {
            sentence += string.Create(
                CultureInfo.InvariantCulture,
                $"; the group has begun with as many messages of the queue as it may ({options.DeliveryWindow}), and the oldest that is "
                    + $"not finished is at offset {cursor.Commit}");
        }

        return trace with { State = TraceState.NotReached, Sentence = sentence };
    }

    // An earlier one of its message group is not over.
    private GroupTrace Behind(GroupTrace trace, GroupState group, QueueCursor cursor, int groupHash)
    {
        var head = cursor.LaneOf(groupHash)?.Head ?? -1;
        var own = message.MessageGroup is { } name ? $"its message group '{Names.Printable(name)}'" : "those without message group";
        return trace with
        {
            State = TraceState.HeldBack,
            Sentence = head == _offset
                ? $"put back by a replay, and waits until what is in flight of {own} is over"
                : head < 0
                ? $"an earlier message of {own} has to be over first"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"an earlier message of {own} has to be over first: the one at offset {head}, {Held(group, cursor, head)}"),
        };
    }

    // What one message of the queue that is known and not finished waits for.
    private string Held(GroupState group, QueueCursor cursor, long offset)
    {
        ref readonly var delivery = ref cursor.At(offset);
        var attempt = $"attempt {delivery.Attempts} of {group.View.MaxAttempts}";
        switch (delivery.State)
        {
            case DeliveryState.Obliged:
                return delivery.Reason switch
                {
                    DeadLetterReason.AskedByReceiver => $"given up by its consumer after {attempt}",
                    DeadLetterReason.DroppedByOperator => "parked, and dropped by an operator",
                    _ => $"out of attempts ({delivery.Attempts})",
                };
            case DeliveryState.Parked:
                return $"out of attempts ({delivery.Attempts}) and set aside since "
                    + $"{HistoryReader.Time(cursor.ParkedSince.GetValueOrDefault(offset))}, until an operator releases it or gives it up: "
                    + "'dledger parked list'";
            case DeliveryState.Resting when delivery.Lease is { } rest:
                return $"waits for its next delivery at {HistoryReader.Time(rest.Deadline)}, after {attempt}, as the back-off of the group "
                    + "says";
            case DeliveryState.Leased when delivery.Lease is { } lease:
                var client = TraceNames.OfClient(machine.Clients, lease.ClientHash);
                return lease.IsOrigin
                    ? $"in flight with client {client} in {attempt}, until {HistoryReader.Time(lease.Deadline)}"
                        + (lease.AutoRenew ? " and longer while that client lives" : "")
                    : $"waits for its next delivery at {HistoryReader.Time(lease.Deadline)}, after {attempt}, as client {client} asked";
            default:
                return "which waits for a consumer";
        }
    }

    // Those that are not finished, as far as they were looked at, and all that were not.
    private long CountAhead(QueueCursor cursor)
    {
        var count = cursor.Aside.LongCount(aside => aside < _offset) + Math.Max(0, _offset - cursor.Next);
        for (var before = cursor.Commit; before < Math.Min(_offset, cursor.Next); before++)
        {
            count += cursor.At(before).State == DeliveryState.Done ? 0 : 1;
        }

        return count;
    }

    private GroupTrace Available(GroupTrace trace, int attempts) => trace with
    {
        State = TraceState.Available,
        Sentence = (attempts == 0 ? "not delivered yet" : $"visible again after {TraceNames.Count(attempts, "delivery", "deliveries")}")
            + ": the next consumer of the group that asks for this queue, and whose filter fits, gets it"
            + MoreUrgent(trace.Group),
    };

    private string MoreUrgent(string group)
    {
        var waiting = !topic.View.IsPriority ? 0 : topic.Subscriptions.Values
            .Where(subscription => subscription.Group.View.DisplayName == group)
            .SelectMany(subscription => subscription.Cursors.Skip(message.QueueId + 1))
            .Sum(cursor => cursor.Lag - cursor.LeasedCount);
        return waiting == 0 ? "" : $", after {TraceNames.Count(waiting, "more urgent message")}";
    }
}
