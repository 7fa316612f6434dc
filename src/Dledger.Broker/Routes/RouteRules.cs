using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Topics;

namespace Dledger.Broker.Routes;

/// <summary>What routes may be: checked when a call comes in, and again when its record is applied.</summary>
internal static class RouteRules
{
    private static readonly MessageTypeSet Routable = MessageTypeSet.Of(
        MessageType.Normal, MessageType.Fifo, MessageType.Delay, MessageType.Transaction);

    /// <summary>Null when the texts of a route are within their bounds.</summary>
    public static Violation? Check(RouteSpec spec)
    {
        if ((Names.CheckTopic(spec.Source) ?? Names.CheckTopic(spec.Target)) is { } badName)
        {
            return badName;
        }

        if (CheckName(spec.Name) is { } badRoute)
        {
            return badRoute;
        }

        var bytes = System.Text.Encoding.UTF8.GetByteCount(spec.Filter.Sql ?? spec.Filter.Text);
        if (bytes > Limits.RouteFilterBytesMax)
        {
            return new Violation(
                BrokenRule.Route, $"the filter of the route takes {bytes} bytes; the limit is {Limits.RouteFilterBytesMax}");
        }

        if (spec.Source == spec.Target)
        {
            return new Violation(BrokenRule.Route, $"the topic '{spec.Source}' cannot be the target of its own route");
        }

        return IsInternal(spec.Source) || IsInternal(spec.Target)
            ? new Violation(BrokenRule.Route, "a dead letter topic has no routes and is the target of none")
            : null;
    }

    /// <summary>Null when a text may name a route.</summary>
    public static Violation? CheckName(string name) => name.Length is > 0 and <= Limits.RouteNameLengthMax
        && !name.Any(static character => !char.IsAsciiLetterOrDigit(character) && character is not ('-' or '_' or '%' or '|'))
            ? null
            : new Violation(
                BrokenRule.Route,
                $"the name of a route has 1 to {Limits.RouteNameLengthMax} letters, digits, '_', '-', '%' and '|'; it is "
                + $"'{Names.Printable(name)}' with {name.Length} characters");

    /// <summary>Null when the routes and types that a topic is to have from now on fit it and all others.</summary>
    /// <param name="topics">All topics.</param>
    /// <param name="topic">The one that is changed.</param>
    /// <param name="types">The types that it is to accept.</param>
    /// <param name="changes">What is said about its settings.</param>
    public static BrokerFailure? Check(
        TopicTable topics, TopicState topic, MessageTypeSet types, IReadOnlyList<Setting> changes)
    {
        var routes = topic.View.Settings.Routes;
        foreach (var change in changes)
        {
            if ((change.Tag == RouteCodec.Added ? CheckAdded(topics, topic, RouteCodec.DecodeAdded(change))
                : change.Tag == RouteCodec.Removed ? CheckRemoved(topic, RouteCodec.DecodeRemoved(change))
                : null) is { } refused)
            {
                return refused;
            }

            if (change.Tag is RouteCodec.Added or RouteCodec.Removed)
            {
                routes = RouteCodec.Apply(routes, change);
            }
        }

        foreach (var route in routes)
        {
            if (topics.Find(route.TargetId) is { } target
                && CheckTypes(topic.View.Name, types, route.Name, target.View.Name, target.View.AcceptedTypes) is { } mismatch)
            {
                return mismatch;
            }
        }

        return types == topic.View.AcceptedTypes ? null : FindPointing(topics, topic.Id)
            .Select(found => CheckTypes(
                found.Source.View.Name, found.Source.View.AcceptedTypes, found.Route.Name, topic.View.Name, types))
            .FirstOrDefault(mismatch => mismatch is not null);
    }

    /// <summary>Null when a topic may be deleted; refused while a route points at it.</summary>
    public static BrokerFailure? CheckDeletion(TopicTable topics, TopicState topic) =>
        FindPointing(topics, topic.Id).FirstOrDefault() is { Source: { } source, Route: { } route }
            ? Refuse(
                $"the topic '{topic.View.Name}' is the target of the route '{route.Name}' of topic '{source.View.Name}'; remove that first: "
                + $"dledger topic route remove --topic {source.View.Name} --name {route.Name}")
            : null;

    private static IEnumerable<(TopicState Source, TopicRoute Route)> FindPointing(TopicTable topics, int targetId)
    {
        foreach (var source in topics.All)
        {
            foreach (var route in source.View.Settings.Routes)
            {
                if (route.TargetId == targetId)
                {
                    yield return (source, route);
                }
            }
        }
    }

    private static BrokerFailure? CheckAdded(TopicTable topics, TopicState topic, TopicRoute route)
    {
        if (topics.Find(route.TargetId) is null)
        {
            return new BrokerFailure(BrokerError.TopicNotFound, "the target topic of the route does not exist (any more)");
        }

        var routes = topic.View.Settings.Routes;
        if (routes.Any(known => known.Name == route.Name))
        {
            return new BrokerFailure(
                BrokerError.AlreadyExists, $"the topic '{topic.View.Name}' has a route '{route.Name}' already");
        }

        return routes.Count >= Limits.RoutesPerTopicMax
            ? Refuse($"the topic '{topic.View.Name}' has {routes.Count} routes; the limit is {Limits.RoutesPerTopicMax}")
            : null;
    }

    private static BrokerFailure? CheckRemoved(TopicState topic, string name) =>
        topic.View.Settings.Routes.Any(route => route.Name == name)
            ? null
            : new BrokerFailure(BrokerError.RouteNotFound, $"the topic '{topic.View.Name}' has no route '{name}'");

    private static BrokerFailure? CheckTypes(
        string source, MessageTypeSet sent, string route, string target, MessageTypeSet accepted)
    {
        if ((sent.Bits & ~Routable.Bits) != 0 || (accepted.Bits & ~Routable.Bits) != 0)
        {
            return Refuse(
                $"the route '{route}' leads from topic '{source}', which accepts {sent}, to '{target}', which accepts {accepted}; only topics "
                + $"that accept nothing but {Routable} have routes or are their targets");
        }

        // Delayed and transactional messages are as normal ones once they are visible.
        foreach (var type in sent.ToList())
        {
            var arrives = type == MessageType.Fifo ? MessageType.Fifo : MessageType.Normal;
            if (!accepted.Contains(arrives))
            {
                return Refuse(
                    $"the topic '{source}' accepts {type} messages, which its route '{route}' brings to '{target}' as {arrives} ones; that "
                    + $"topic accepts {accepted}");
            }
        }

        return null;
    }

    private static BrokerFailure Refuse(string detail) =>
        new(BrokerError.InvalidArgument, detail, Rule: BrokenRule.Route);

    private static bool IsInternal(string topic) =>
        topic.StartsWith(Names.DeadLetterPrefix, StringComparison.Ordinal)
        || topic.StartsWith(Names.RetryPrefix, StringComparison.Ordinal);
}
