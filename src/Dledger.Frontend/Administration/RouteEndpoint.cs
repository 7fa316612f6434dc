using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Frontend.Administration;

/// <summary>The service for routes between topics. Only dispatches; what needs the leader goes there.</summary>
public sealed class RouteEndpoint : TopicRouteService.TopicRouteServiceBase
{
    private readonly CallGuard _guard;
    private readonly LeaderCall<AddTopicRouteRequest, AddTopicRouteResponse> _add;
    private readonly LeaderCall<RemoveTopicRouteRequest, RemoveTopicRouteResponse> _remove;
    private readonly LeaderCall<ListTopicRoutesRequest, ListTopicRoutesResponse> _list;

    internal RouteEndpoint(BrokerNode broker, CallGuard guard)
    {
        _guard = guard;
        var routes = new RouteAdministration(broker);
        _add = new(
            "AddTopicRoute", true, routes.AddAsync, (c, n, r, o) => c.TopicRoutes(n).AddTopicRouteAsync(r, o), s => new() { Status = s });

        // Not repeated: a second try would not find what the first one removed.
        _remove = new(
            "RemoveTopicRoute",
            false,
            routes.RemoveAsync,
            (c, n, r, o) => c.TopicRoutes(n).RemoveTopicRouteAsync(r, o),
            s => new() { Status = s });
        _list = new(
            "ListTopicRoutes",
            true,
            routes.ListAsync,
            (c, n, r, o) => c.TopicRoutes(n).ListTopicRoutesAsync(r, o),
            s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<AddTopicRouteResponse> AddTopicRoute(AddTopicRouteRequest request, ServerCallContext context) =>
        _guard.RunAsync(_add, request, context);

    /// <inheritdoc/>
    public override Task<RemoveTopicRouteResponse> RemoveTopicRoute(
        RemoveTopicRouteRequest request, ServerCallContext context) => _guard.RunAsync(_remove, request, context);

    /// <inheritdoc/>
    public override Task<ListTopicRoutesResponse> ListTopicRoutes(ListTopicRoutesRequest request, ServerCallContext context) =>
        _guard.RunAsync(_list, request, context);
}
