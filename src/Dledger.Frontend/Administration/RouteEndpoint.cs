using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend.Administration;

/// <summary>The service for routes between topics. Only dispatches; what needs the leader goes there.</summary>
public sealed class RouteEndpoint : TopicRouteService.TopicRouteServiceBase
{
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LeaderRouter _router;
    private readonly Rpc<AddTopicRouteRequest, AddTopicRouteResponse> _add;
    private readonly Rpc<RemoveTopicRouteRequest, RemoveTopicRouteResponse> _remove;
    private readonly Rpc<ListTopicRoutesRequest, ListTopicRoutesResponse> _list;

    internal RouteEndpoint(BrokerNode broker, LeaderRouter router, TimeProvider time, ILogger logger)
    {
        _time = time;
        _logger = logger;
        _router = router;
        var routes = new RouteAdministration(broker);
        _add = new("AddTopicRoute", true, routes.AddAsync, (c, r, o) => c.AddTopicRouteAsync(r, o), s => new() { Status = s });

        // Not repeated: a second try would not find what the first one removed.
        _remove = new(
            "RemoveTopicRoute", false, routes.RemoveAsync, (c, r, o) => c.RemoveTopicRouteAsync(r, o), s => new() { Status = s });
        _list = new(
            "ListTopicRoutes", true, routes.ListAsync, (c, r, o) => c.ListTopicRoutesAsync(r, o), s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<AddTopicRouteResponse> AddTopicRoute(AddTopicRouteRequest request, ServerCallContext context) =>
        RunAsync(_add, request, context);

    /// <inheritdoc/>
    public override Task<RemoveTopicRouteResponse> RemoveTopicRoute(
        RemoveTopicRouteRequest request, ServerCallContext context) => RunAsync(_remove, request, context);

    /// <inheritdoc/>
    public override Task<ListTopicRoutesResponse> ListTopicRoutes(ListTopicRoutesRequest request, ServerCallContext context) =>
        RunAsync(_list, request, context);

    private async Task<TResponse> RunAsync<TRequest, TResponse>(
        Rpc<TRequest, TResponse> rpc, TRequest request, ServerCallContext context)
        where TRequest : class
        where TResponse : class
    {
        var call = new ClientCall(context, _time);
        try
        {
            return await _router.CallAsync(rpc, call, request);
        }
        catch (Exception exception) when (
            exception is not RpcException && !call.CancellationToken.IsCancellationRequested)
        {
            FrontendEvents.CallFailed(_logger, exception, context.Method, call.ClientId);
            return rpc.Refuse(request, new BrokerFailure(BrokerError.None, "the server failed; see its log"));
        }
    }

    private sealed class Rpc<TRequest, TResponse>(
        string method,
        bool isRepeatable,
        Func<TRequest, CancellationToken, ValueTask<LocalOutcome<TResponse>>> run,
        Func<TopicRouteService.TopicRouteServiceClient, TRequest, CallOptions, AsyncUnaryCall<TResponse>> forward,
        Func<AdminStatus, TResponse> refuse)
        : ILeaderHandler<TRequest, TResponse>
        where TRequest : class
        where TResponse : class
    {
        public string Method => method;

        public bool IsRepeatable => isRepeatable;

        public ValueTask<LocalOutcome<TResponse>> RunAsync(
            ClientCall call, TRequest request, CancellationToken cancellationToken) => run(request, cancellationToken);

        public AsyncUnaryCall<TResponse> Forward(
            NodeChannels channels, NodeId leader, TRequest request, CallOptions options) =>
            forward(channels.TopicRoutes(leader), request, options);

        public TResponse Refuse(TRequest request, BrokerFailure failure) => refuse(StatusMapping.AdminOf(failure));
    }
}
