using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;
using Wire = Dledger.Protocol.Admin.V1;

namespace Dledger.Client.Administration;

/// <summary>A rule of a topic: which of its messages also stand in another one.</summary>
/// <param name="Topic">Whose messages are meant.</param>
/// <param name="Name">Tells the routes of a topic apart; empty when it is added: the name of the target.</param>
/// <param name="Target">Where they also go.</param>
public sealed record TopicRoute(string Topic, string Name, string Target)
{
    /// <summary>Which messages by tag: one, or several with || between; <c>*</c>: all.</summary>
    public string Tags { get; init; } = "*";

    /// <summary>Which messages by an SQL expression; null: by tag.</summary>
    public string? Sql { get; init; }
}

/// <summary>Routes between topics. Safe for any thread.</summary>
public sealed class RouteClient(DledgerChannel channel)
{
    /// <summary>Adds a route; the same one again is no fault.</summary>
    /// <param name="route">What to add.</param>
    /// <param name="isTrial">Only says what would come of it.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The route with its name.</returns>
    public async Task<TopicRoute> AddAsync(TopicRoute route, bool isTrial = false, CancellationToken cancellationToken = default)
    {
        var request = new AddTopicRouteRequest
        {
            Route = new Wire.TopicRoute
            {
                Topic = route.Topic,
                Name = route.Name,
                Target = route.Target,
                Filter = new FilterExpression
                {
                    Type = route.Sql is null ? FilterType.Tag : FilterType.Sql,
                    Expression = route.Sql ?? route.Tags,
                },
            },
            DryRun = isTrial,
        };
        var response = await AskAsync(
            $"Adding a route from topic '{route.Topic}' to '{route.Target}'",
            (routes, options) => routes.AddTopicRouteAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return Read(response.Route);
    }

    /// <summary>Ends a route; what it brought stays in the target.</summary>
    public Task RemoveAsync(string topic, string name, bool isTrial = false, CancellationToken cancellationToken = default) => AskAsync(
        $"Removing route '{name}' of topic '{topic}'",
        (routes, options) => routes.RemoveTopicRouteAsync(
            new RemoveTopicRouteRequest { Topic = topic, Name = name, DryRun = isTrial }, options),
        answer => answer.Status,
        cancellationToken);

    /// <summary>The routes of a topic, or of all when it is null.</summary>
    public async Task<IReadOnlyList<TopicRoute>> ListAsync(string? topic, CancellationToken cancellationToken = default)
    {
        var response = await AskAsync(
            "Listing routes",
            (routes, options) => routes.ListTopicRoutesAsync(new ListTopicRoutesRequest { Topic = topic ?? "" }, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return [.. response.Routes.Select(Read)];
    }

    private static TopicRoute Read(Wire.TopicRoute route) => route.Filter?.Type == FilterType.Sql
        ? new TopicRoute(route.Topic, route.Name, route.Target) { Sql = route.Filter.Expression }
        : new TopicRoute(route.Topic, route.Name, route.Target) { Tags = route.Filter?.Expression ?? "*" };

    private Task<T> AskAsync<T>(
        string operation,
        Func<TopicRouteService.TopicRouteServiceClient, CallOptions, AsyncUnaryCall<T>> call,
        Func<T, AdminStatus?> statusOf,
        CancellationToken cancellationToken) => channel.CallAsync(
            operation,
            async (node, options) =>
            {
                var answer = await call(node.TopicRoutes, options).ConfigureAwait(false);
                return ResponseStatus.Judge(statusOf(answer), operation) is { } failure ? throw failure : answer;
            },
            cancellationToken);
}
