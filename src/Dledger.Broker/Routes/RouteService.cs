using Dledger.Broker.Commands;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;
using Dledger.Storage.Records;

namespace Dledger.Broker.Routes;

/// <summary>Changes and lists routes for callers. Any thread.</summary>
internal sealed class RouteService(BrokerCalls calls)
{
    /// <summary>Adds a route; where <paramref name="isTrial"/>, says what would come of it. The route with its name, or why not.</summary>
    public async ValueTask<(RouteSpec? Route, BrokerFailure? Failure)> AddAsync(
        RouteSpec wish, bool isTrial, CancellationToken cancellationToken)
    {
        var route = wish.Name.Length > 0 ? wish : wish with { Name = wish.Target };
        if (RouteRules.Check(route) is { } violation)
        {
            return (null, BrokerFailure.Of(violation));
        }

        if (calls.CheckServing() is { } notServing)
        {
            return (null, notServing);
        }

        if (calls.Machine.Topics.Find(route.Target) is not { } target)
        {
            return (null, TopicService.NotFound(route.Target));
        }

        var failure = await ChangeAsync(
            route.Source,
            RouteCodec.EncodeAdded(new TopicRoute(route.Name, target.Id, route.Filter)),
            isTrial,
            cancellationToken);
        return failure is null || (failure.Value.Error == BrokerError.AlreadyExists && IsSame(route, target.Id))
            ? (route, null)
            : (null, failure);
    }

    /// <summary>Removes a route; where <paramref name="isTrial"/>, says whether it is there. Messages that it brought stay.</summary>
    public async ValueTask<BrokerFailure?> RemoveAsync(
        string source, string name, bool isTrial, CancellationToken cancellationToken)
    {
        if ((Naming.Names.CheckTopic(source) ?? RouteRules.CheckName(name)) is { } violation)
        {
            return BrokerFailure.Of(violation);
        }

        return calls.CheckServing() is { } notServing
            ? notServing
            : await ChangeAsync(source, RouteCodec.EncodeRemoved(name), isTrial, cancellationToken);
    }

    /// <summary>The routes of a topic by name, or of all topics when it is null.</summary>
    public ValueTask<(IReadOnlyList<RouteSpec> Routes, BrokerFailure? Failure)> ListAsync(
        string? source, CancellationToken cancellationToken) =>
        calls.LookAsync<(IReadOnlyList<RouteSpec>, BrokerFailure?)>(
            state => List(state, source), static failure => ([], failure), cancellationToken);

    private static (IReadOnlyList<RouteSpec>, BrokerFailure?) List(BrokerState state, string? source)
    {
        if (source is not null && state.Topics.Find(source) is null)
        {
            return ([], TopicService.NotFound(source));
        }

        return ([.. state.Topics.All
            .Where(topic => source is null || topic.View.Name == source)
            .OrderBy(topic => topic.View.Name, StringComparer.Ordinal)
            .SelectMany(topic => topic.View.Settings.Routes.Select(route => new RouteSpec(
                topic.View.Name, route.Name, state.Topics.Find(route.TargetId)?.View.Name ?? "", route.Filter)))], null);
    }

    private async ValueTask<BrokerFailure?> ChangeAsync(
        string source, Setting change, bool isTrial, CancellationToken cancellationToken) => isTrial
        ? await calls.LookAsync(
            state => state.Topics.Find(source) is { } topic
                ? RouteRules.Check(state.Topics, topic, topic.View.AcceptedTypes, [change])
                : TopicService.NotFound(source),
            static failure => failure,
            cancellationToken)
        : await calls.ProposeAsync(
            RecordKind.TopicUpsert,
            new TopicUpsertCommand(UpsertMode.Update, source, 0, default, [change]).Encode(),
            cancellationToken);

    private bool IsSame(RouteSpec route, int targetId) => calls.Machine.Topics.Find(route.Source) is { } source
        && source.Settings.Routes.Any(known =>
            known.Name == route.Name && known.TargetId == targetId && known.Filter.Text == route.Filter.Text);
}
