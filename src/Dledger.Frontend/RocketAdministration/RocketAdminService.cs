using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>RocketMQ's administration, for consoles that know nothing of ours. Only dispatches; any node answers.</summary>
/// <remarks>What has no meaning here is answered with NOT_IMPLEMENTED and what to use instead, on a gRPC call that succeeds.</remarks>
public sealed class RocketAdminService : Wire.Admin.AdminBase
{
    private readonly CallGuard _guard;
    private readonly NodeCalls _node;
    private readonly TopicCalls _topics;
    private readonly LeaderCall<Wire.DescribeTopicStatusRequest, Wire.DescribeTopicStatusResponse> _describeTopic;
    private readonly LeaderCall<Wire.GetTopicRouteRequest, Wire.GetTopicRouteResponse> _topicRoute;

    internal RocketAdminService(
        BrokerNode broker, FrontendOptions options, LeaderRouter router, TimeProvider time, ILogger logger)
    {
        _guard = new CallGuard(router, time, logger);
        var arguments = new Arguments(options);
        _node = new NodeCalls(options, logger);
        _topics = new TopicCalls(broker, options, arguments, router);
        _describeTopic = new(
            "DescribeTopicStatus",
            _topics.DescribeAsync,
            (c, n, r, o) => c.RocketAdmin(n).DescribeTopicStatusAsync(r, o),
            (Wire.Status status) => new() { Status = status })
        {
            IsRepeatable = true,
            Check = _topics.Check,
        };
        _topicRoute = new(
            "GetTopicRoute",
            _topics.RouteAsync,
            (c, n, r, o) => c.RocketAdmin(n).GetTopicRouteAsync(r, o),
            (Wire.Status status) => new() { Status = status })
        {
            IsRepeatable = true,
            Check = _topics.Check,
        };
    }

    /// <inheritdoc/>
    public override Task<Wire.ChangeLogLevelResponse> ChangeLogLevel(
        Wire.ChangeLogLevelRequest request, ServerCallContext context) => Task.FromResult(_node.ChangeLogLevel(request));

    /// <inheritdoc/>
    public override Task<Wire.DescribeTopicStatusResponse> DescribeTopicStatus(
        Wire.DescribeTopicStatusRequest request, ServerCallContext context) => _guard.RunAsync(_describeTopic, request, context);

    /// <inheritdoc/>
    public override Task<Wire.GetTopicRouteResponse> GetTopicRoute(
        Wire.GetTopicRouteRequest request, ServerCallContext context) => _guard.RunAsync(_topicRoute, request, context);
}
