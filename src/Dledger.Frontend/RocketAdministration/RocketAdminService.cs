using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging.Clients;
using Dledger.Frontend.Messaging.Producing;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>RocketMQ's administration, for consoles that know nothing of ours. Only dispatches; any node answers.</summary>
/// <remarks>What has no meaning here is answered with NOT_IMPLEMENTED and what to use instead, on a gRPC call that succeeds.</remarks>
public sealed class RocketAdminService : Wire.Admin.AdminBase
{
    private readonly CallGuard _guard;
    private readonly NodeCalls _node;
    private readonly DiagnosticCalls _diagnostics;
    private readonly LeaderCall<Wire.DescribeTopicStatusRequest, Wire.DescribeTopicStatusResponse> _describeTopicStatus;
    private readonly LeaderCall<Wire.ListSubscriptionRequest, Wire.ListSubscriptionResponse> _listSubscription;
    private readonly LeaderCall<Wire.DescribeSubscriptionRequest, Wire.DescribeSubscriptionResponse> _describeSubscription;
    private readonly LeaderCall<Wire.DescribeGroupAccumulationRequest, Wire.DescribeGroupAccumulationResponse> _describeGroupAccumulation;
    private readonly LeaderCall<Wire.ListConsumerConnectionRequest, Wire.ListConsumerConnectionResponse> _listConsumerConnection;
    private readonly LeaderCall<Wire.ResetGroupOffsetRequest, Wire.ResetGroupOffsetResponse> _resetGroupOffset;
    private readonly LeaderCall<Wire.ListMessageRequest, Wire.ListMessageResponse> _queryMessage;
    private readonly LeaderCall<Wire.VerifyMessageRequest, Wire.VerifyMessageResponse> _verifyMessage;
    private readonly LeaderCall<Wire.AdminSendMessageRequest, Wire.AdminSendMessageResponse> _adminSendMessage;
    private readonly LeaderCall<Wire.GetConsumerRunningInfoRequest, Wire.GetConsumerRunningInfoResponse> _getConsumerRunningInfo;
    private readonly LeaderCall<Wire.GetTopicRouteRequest, Wire.GetTopicRouteResponse> _getTopicRoute;
    private readonly LeaderCall<Wire.QueryTimeSpanRequest, Wire.QueryTimeSpanResponse> _queryTimeSpan;

    internal RocketAdminService(
        BrokerNode broker,
        FrontendOptions options,
        LeaderRouter router,
        CallGuard guard,
        NodeCalls node,
        ClusterClients clients,
        TimeProvider time)
    {
        _guard = guard;
        _node = node;
        var arguments = new Arguments(options);
        var topics = new TopicCalls(broker, options, arguments, router);
        var subscriptions = new SubscriptionCalls(broker, clients, arguments);
        var progress = new ProgressCalls(broker, options, arguments, router, time);
        var messages = new MessageCalls(broker, options, arguments, time);
        var sends = new SendCalls(broker, new MessageDrafts(options, time), arguments);
        var diagnostics = _diagnostics = new DiagnosticCalls(broker, options, clients, arguments);
        _describeTopicStatus = new(
            "DescribeTopicStatus",
            true,
            topics.DescribeAsync,
            (c, n, r, o) => c.RocketAdmin(n).DescribeTopicStatusAsync(r, o),
            status => new() { Status = status })
        { Check = topics.Check };
        _listSubscription = new(
            "ListSubscription",
            true,
            subscriptions.ListAsync,
            (c, n, r, o) => c.RocketAdmin(n).ListSubscriptionAsync(r, o),
            status => new() { Status = status })
        { Check = subscriptions.Check };
        _describeSubscription = new(
            "DescribeSubscription",
            true,
            subscriptions.DescribeAsync,
            (c, n, r, o) => c.RocketAdmin(n).DescribeSubscriptionAsync(r, o),
            status => new() { Status = status })
        { Check = subscriptions.Check };
        _describeGroupAccumulation = new(
            "DescribeGroupAccumulation",
            true,
            progress.DescribeAsync,
            (c, n, r, o) => c.RocketAdmin(n).DescribeGroupAccumulationAsync(r, o),
            status => new() { Status = status })
        { Check = progress.Check };
        _listConsumerConnection = new(
            "ListConsumerConnection",
            true,
            subscriptions.ListConnectionsAsync,
            (c, n, r, o) => c.RocketAdmin(n).ListConsumerConnectionAsync(r, o),
            status => new() { Status = status })
        { Check = subscriptions.Check };

        // Not repeated: what was handed out since the first try would be cut off.
        _resetGroupOffset = new(
            "ResetGroupOffset",
            false,
            progress.ResetAsync,
            (c, n, r, o) => c.RocketAdmin(n).ResetGroupOffsetAsync(r, o),
            status => new() { Status = status })
        { Check = progress.Check };
        _queryMessage = new(
            "QueryMessage",
            true,
            messages.ListAsync,
            (c, n, r, o) => c.RocketAdmin(n).QueryMessageAsync(r, o),
            status => new() { Status = status })
        { Check = messages.Check };

        // Not repeated: the client would try the message once more.
        _verifyMessage = new(
            "VerifyMessage",
            false,
            diagnostics.VerifyAsync,
            (c, n, r, o) => c.RocketAdmin(n).VerifyMessageAsync(r, o),
            status => new() { Status = status })
        { Check = diagnostics.Check };

        // Not repeated: the message might be stored twice.
        _adminSendMessage = new(
            "AdminSendMessage",
            false,
            sends.SendAsync,
            (c, n, r, o) => c.RocketAdmin(n).AdminSendMessageAsync(r, o),
            status => new() { Status = status })
        { Check = sends.Check };
        _getConsumerRunningInfo = new(
            "GetConsumerRunningInfo",
            true,
            subscriptions.DescribeRunningAsync,
            (c, n, r, o) => c.RocketAdmin(n).GetConsumerRunningInfoAsync(r, o),
            status => new() { Status = status })
        { Check = subscriptions.Check };
        _getTopicRoute = new(
            "GetTopicRoute",
            true,
            topics.RouteAsync,
            (c, n, r, o) => c.RocketAdmin(n).GetTopicRouteAsync(r, o),
            status => new() { Status = status })
        { Check = topics.Check };
        _queryTimeSpan = new(
            "QueryTimeSpan",
            true,
            progress.QueryTimeSpanAsync,
            (c, n, r, o) => c.RocketAdmin(n).QueryTimeSpanAsync(r, o),
            status => new() { Status = status })
        { Check = progress.Check };
    }

    /// <inheritdoc/>
    public override Task<Wire.ChangeLogLevelResponse> ChangeLogLevel(
        Wire.ChangeLogLevelRequest request, ServerCallContext context) => Task.FromResult(_node.ChangeLogLevel(request));

    /// <inheritdoc/>
    public override Task<Wire.DescribeTopicStatusResponse> DescribeTopicStatus(
        Wire.DescribeTopicStatusRequest request, ServerCallContext context) => _guard.RunAsync(_describeTopicStatus, request, context);

    /// <inheritdoc/>
    public override Task<Wire.ListSubscriptionResponse> ListSubscription(
        Wire.ListSubscriptionRequest request, ServerCallContext context) => _guard.RunAsync(_listSubscription, request, context);

    /// <inheritdoc/>
    public override Task<Wire.DescribeSubscriptionResponse> DescribeSubscription(
        Wire.DescribeSubscriptionRequest request, ServerCallContext context) => _guard.RunAsync(_describeSubscription, request, context);

    /// <inheritdoc/>
    public override Task<Wire.DeleteSubscriptionResponse> DeleteSubscription(
        Wire.DeleteSubscriptionRequest request, ServerCallContext context) => Task.FromResult(new Wire.DeleteSubscriptionResponse
        {
            Status = StatusMapping.Status(
                Wire.Code.NotImplemented,
                "a subscription is what the members of a group ask for and how far the group is: stop the members, then use "
                    + "'dledger group seek' to move the group or 'dledger group delete' to forget it"),
        });

    /// <inheritdoc/>
    public override Task<Wire.DescribeGroupAccumulationResponse> DescribeGroupAccumulation(
        Wire.DescribeGroupAccumulationRequest request, ServerCallContext context) => _guard.RunAsync(_describeGroupAccumulation, request, context);

    /// <inheritdoc/>
    public override Task<Wire.ListConsumerConnectionResponse> ListConsumerConnection(
        Wire.ListConsumerConnectionRequest request, ServerCallContext context) => _guard.RunAsync(_listConsumerConnection, request, context);

    /// <inheritdoc/>
    public override Task<Wire.ResetGroupOffsetResponse> ResetGroupOffset(
        Wire.ResetGroupOffsetRequest request, ServerCallContext context) => _guard.RunAsync(_resetGroupOffset, request, context);

    /// <inheritdoc/>
    public override Task<Wire.ListMessageResponse> QueryMessage(
        Wire.ListMessageRequest request, ServerCallContext context) => _guard.RunAsync(_queryMessage, request, context);

    /// <inheritdoc/>
    public override Task<Wire.PrintThreadStackTraceResponse> PrintThreadStackTrace(
        Wire.PrintThreadStackTraceRequest request, ServerCallContext context) => _guard.RunHereAsync(
            context,
            call => _diagnostics.PrintStackTraceAsync(call, request),
            static failure => new() { Status = StatusMapping.Of(failure) });

    /// <inheritdoc/>
    public override Task<Wire.VerifyMessageResponse> VerifyMessage(
        Wire.VerifyMessageRequest request, ServerCallContext context) => _guard.RunAsync(_verifyMessage, request, context);

    /// <inheritdoc/>
    public override Task<Wire.AdminSendMessageResponse> AdminSendMessage(
        Wire.AdminSendMessageRequest request, ServerCallContext context) => _guard.RunAsync(_adminSendMessage, request, context);

    /// <inheritdoc/>
    public override Task<Wire.GetConsumerRunningInfoResponse> GetConsumerRunningInfo(
        Wire.GetConsumerRunningInfoRequest request, ServerCallContext context) => _guard.RunAsync(_getConsumerRunningInfo, request, context);

    /// <inheritdoc/>
    public override Task<Wire.GetTopicRouteResponse> GetTopicRoute(
        Wire.GetTopicRouteRequest request, ServerCallContext context) => _guard.RunAsync(_getTopicRoute, request, context);

    /// <inheritdoc/>
    public override Task<Wire.QueryTimeSpanResponse> QueryTimeSpan(
        Wire.QueryTimeSpanRequest request, ServerCallContext context) => _guard.RunAsync(_queryTimeSpan, request, context);

    /// <inheritdoc/>
    public override Task<Wire.GetProxyRuntimeStatsResponse> GetProxyRuntimeStats(
        Wire.GetProxyRuntimeStatsRequest request, ServerCallContext context) => Task.FromResult(_node.Stats());
}
