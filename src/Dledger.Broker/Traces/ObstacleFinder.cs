using System.Globalization;
using Dledger.Broker.Deduplication;
using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;
using Dledger.Storage.Records;

namespace Dledger.Broker.Traces;

/// <summary>
/// Finds what keeps a waiting message from a group: first what holds the whole group, then what holds this message. On the apply loop of the
/// serving leader; changes nothing.
/// </summary>
/// <remarks>It asks those who decide about receives (settings, leases, filters, quotas), so what it says is what the next receive meets.</remarks>
internal sealed class ObstacleFinder(BrokerStateMachine machine, TopicState topic, DeliveredMessage message, byte[]? record, long now)
{
    /// <summary>What holds a group on its topic, whatever the message; null when nothing does.</summary>
    public Obstacle? OfGroup(GroupState group, Subscription? subscription) =>
        Pause(group) ?? LiteSet(group) ?? InFlight(group) ?? Holder(group, subscription) ?? Clients(group) ?? Quota(group);

    /// <summary>What holds this message, though its group is given others; null when nothing does.</summary>
    public Obstacle? OfMessage(GroupState group) => TooOld(group) ?? Filters(group) ?? Key(group) ?? NoConsumer(group);

    /// <summary>Whether a living consumer of the group asks for the topic.</summary>
    public bool HasConsumers(GroupState group) => Members(group).Count > 0;

    /// <summary>What to call the key of a message in a group that remembers keys.</summary>
    public static string NameKey(DedupSettings settings, DeliveredMessage message) => settings.Source switch
    {
        DedupSource.MessageId => $"its message id '{Names.Printable(message.MessageId)}'",
        DedupSource.Key when message.Keys is [var key, ..] => $"its first business key '{Names.Printable(key)}'",
        DedupSource.Property => $"its property {settings.Property}"
            + (message.UserProperties.FirstOrDefault(property => property.Key == settings.Property) is { Value: { } value }
                ? $" = '{Names.Printable(value)}'"
                : ""),
        _ => "its key",
    };

    private static Obstacle? Pause(GroupState group)
    {
        if (group.Pause is not { } pause)
        {
            return null;
        }

        var isOpen = pause.UntilMicroseconds == long.MaxValue;
        var until = isOpen ? "an operator resumes it" : HistoryReader.Time(pause.UntilMicroseconds);
        var reason = pause.Reason.Length == 0 ? "" : $", because of \"{Names.Printable(pause.Reason)}\"";
        return new Obstacle(
            TraceState.Paused,
            $"the group is paused since {HistoryReader.Time(pause.SinceMicroseconds)} until {until}{reason}: 'dledger group resume'",
            isOpen ? 0 : pause.UntilMicroseconds);
    }

    private Obstacle? LiteSet(GroupState group) =>
        topic.Lites?.OfQueue(message.QueueId) is { } lite && !machine.Lites.IsWanted(group.View.Id, topic.Id, lite.Name)
            ? new Obstacle(
                TraceState.NotAskedFor,
                $"no living client of the group has the lite topic '{Names.Printable(lite.Name)}' in its set: a lite consumer has to "
                    + "subscribe to it")
            : null;

    private static Obstacle? InFlight(GroupState group) =>
        group.InFlight.Total >= group.View.Settings.MaxInFlight
            ? new Obstacle(
                TraceState.InFlightLimit,
                $"the group has {TraceNames.Count(group.InFlight.Total, "message")} in flight, and may have "
                    + Invariant($"{group.View.Settings.MaxInFlight}")
                    + ": some have to be acknowledged first")
            : null;

    private Obstacle? Holder(GroupState group, Subscription? subscription)
    {
        if (!group.View.Settings.Exclusive || subscription is not { Holder: not 0 and var holder })
        {
            return null;
        }

        var isGone = machine.Clients.IsGone(holder);
        return new Obstacle(
            TraceState.Exclusive,
            $"the group is exclusive and client {NameOf(holder)} holds it for this topic"
                + (isGone
                    ? ", but is gone: the next consumer that asks takes its place"
                    : $", with {TraceNames.Count(group.InFlight.Of(holder), "message")} in flight: nobody else is given anything while it "
                        + "lives"));
    }

    private Obstacle? Clients(GroupState group)
    {
        var limit = group.View.Settings.MaxInFlightPerClient;
        var clients = Members(group);
        return clients.Count > 0 && clients.All(client => group.InFlight.Of(client.ClientHash) >= limit)
            ? new Obstacle(
                TraceState.InFlightLimit,
                Invariant($"each client of the group that asks ({clients.Count}) has as many messages in flight as it may, {limit}"))
            : null;
    }

    private Obstacle? Quota(GroupState group)
    {
        var bytes = record?.Length ?? 1;
        var clients = Members(group).Select(client => client.ClientHash).ToList();
        return machine.Receivers.Quotas.Why(group, clients, bytes) is { RetryAfter: var wait, Detail: { } detail }
            ? new Obstacle(
                TraceState.OverQuota,
                detail,
                now + (wait.Ticks / TimeSpan.TicksPerMicrosecond))
            : null;
    }

    private Obstacle? TooOld(GroupState group) =>
        TimeToLive.IsOver(message.UserProperties, message.StoreTimeMicroseconds, now)
            ? new Obstacle(
                TraceState.LivedTooLong,
                $"its time to live ({TimeToLive.Property}) is over: when its turn comes it "
                    + (group.View.Settings.Expiry == ExpiryMode.Drop ? "is finished without delivery" : "becomes a dead letter"))
            : null;

    private Obstacle? Filters(GroupState group)
    {
        var clients = Members(group);
        if (clients.Count == 0 || record is null || machine.Filters.Of(group.View.Id, topic.Id).Current.IsIncomplete)
        {
            return null;
        }

        RecordView.TryParseUnchecked(record, out var view, out _);
        foreach (var client in clients)
        {
            if (client.Filter.Matches(view))
            {
                return null;
            }
        }

        var texts = clients.Select(client => client.Filter.Text).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return new Obstacle(
            TraceState.Unwanted,
            $"no consumer of the group that asks at present wants it: the filter{(texts.Count == 1 ? " is" : "s are")} "
                + string.Join(", ", texts.Take(5).Select(text => $"'{Names.Printable(text)}'"))
                + $", its tag is {(message.Tag is { } tag ? $"'{Names.Printable(tag)}'" : "none")}; when its turn comes it is finished "
                + "without delivery");
    }

    private Obstacle? Key(GroupState group)
    {
        var settings = group.View.Settings.Dedup;
        if (!settings.IsOn || record is null)
        {
            return null;
        }

        RecordView.TryParseUnchecked(record, out var view, out _);
        var key = DedupKey.Of(view, settings);
        if (key == DedupKey.None)
        {
            return null;
        }

        if (group.Processed.IsProcessed(key))
        {
            return new Obstacle(
                TraceState.Deduplicated,
                $"the group has processed another message with {NameKey(settings, message)}: when its turn comes it is finished "
                    + "without delivery");
        }

        return group.Processed.HolderOf(key) is { } holder
            ? new Obstacle(
                TraceState.KeyInFlight,
                $"another message with {NameKey(settings, message)} is in flight and has to be over first: the one at "
                    + Invariant($"offset {holder.Offset} of queue {holder.QueueId}")
                    + (holder.TopicId == topic.Id ? "" : " of another topic"))
            : null;
    }

    private Obstacle? NoConsumer(GroupState group) => Members(group).Count > 0
        ? null
        : new Obstacle(
            TraceState.Available,
            "no consumer of the group has asked this leader for messages of the topic within 90 s: start one");

    private IReadOnlyList<ClientFilter> Members(GroupState group) => machine.Filters.Members(group.View.Id, topic.Id);

    private string NameOf(long clientHash) => TraceNames.OfClient(machine.Clients, clientHash);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
