using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging.Clients;
using Dledger.Frontend.Messaging.Consuming;
using Dledger.Frontend.Messaging.Lites;
using Dledger.Frontend.Messaging.Offsets;
using Dledger.Frontend.Messaging.Producing;
using Dledger.Frontend.Messaging.Routing;
using Dledger.Frontend.Messaging.Transactions;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging;

/// <summary>The RocketMQ 5 service. Only dispatches: each RPC has a handler of its own.</summary>
/// <remarks>A refusal is an answer with a status, on a gRPC call that succeeds; gRPC failures are left to broken
/// transport, methods that do not exist, and telemetry streams.</remarks>
[BindServiceMethod(typeof(MessagingBinding), nameof(MessagingBinding.Bind))]
public sealed class MessagingService : Wire.MessagingService.MessagingServiceBase
{
    private readonly TimeProvider _time;
    private readonly CallGuard _guard;
    private readonly QueryRouteHandler _queryRoute;
    private readonly QueryAssignmentHandler _queryAssignment;
    private readonly SendMessageHandler _sendMessage;
    private readonly ReceiveMessageHandler _receiveMessage;
    private readonly AckMessageHandler _ackMessage;
    private readonly ChangeInvisibleDurationHandler _changeInvisibleDuration;
    private readonly ForwardMessageToDeadLetterQueueHandler _forwardToDeadLetterQueue;
    private readonly RecallMessageHandler _recallMessage;
    private readonly HeartbeatHandler _heartbeat;
    private readonly NotifyClientTerminationHandler _notifyClientTermination;
    private readonly TelemetryHandler _telemetry;
    private readonly PullMessageHandler _pullMessage;
    private readonly GetOffsetHandler _getOffset;
    private readonly UpdateOffsetHandler _updateOffset;
    private readonly QueryOffsetHandler _queryOffset;
    private readonly EndTransactionHandler _endTransaction;
    private readonly SyncLiteSubscriptionHandler _syncLiteSubscription;

    internal MessagingService(
        BrokerNode broker,
        FrontendOptions options,
        LeaderRouter router,
        CallGuard guard,
        ProducerRegistry producers,
        ConnectedClients clients,
        LiteClients lites,
        Draining draining,
        TimeProvider time,
        ILogger logger)
    {
        _time = time;
        _guard = guard;
        In = new TrafficMeter(time);
        Out = new TrafficMeter(time);
        var entries = new RouteEntries(options, router.Nodes);
        var liveness = new LivenessRelay(broker, router);
        _queryRoute = new QueryRouteHandler(broker, entries, router);
        _queryAssignment = new QueryAssignmentHandler(broker, entries, router);
        _sendMessage = new SendMessageHandler(broker, new MessageDrafts(options, time), producers, router, In);
        _receiveMessage = new ReceiveMessageHandler(
            broker, options, router, new ReceiveRelay(options, router), draining, time);
        _ackMessage = new AckMessageHandler(broker, router);
        _changeInvisibleDuration = new ChangeInvisibleDurationHandler(broker, router);
        _forwardToDeadLetterQueue = new ForwardMessageToDeadLetterQueueHandler(broker, router);
        _recallMessage = new RecallMessageHandler(broker, router);
        _heartbeat = new HeartbeatHandler(liveness);
        _notifyClientTermination = new NotifyClientTerminationHandler(liveness);
        _pullMessage = new PullMessageHandler(broker, options, router, draining, time);
        _getOffset = new GetOffsetHandler(broker, options, router);
        _updateOffset = new UpdateOffsetHandler(broker, options, router);
        _queryOffset = new QueryOffsetHandler(broker, options, router);
        _telemetry = new TelemetryHandler(
            new SettingsAnswer(broker, options), options, producers, clients, lites, draining, time, logger);
        _syncLiteSubscription = new SyncLiteSubscriptionHandler(broker, router, lites);
        _endTransaction = new EndTransactionHandler(broker, router);
    }

    /// <summary>Telemetry streams that are open now.</summary>
    public int TelemetryCount => _telemetry.OpenCount;

    /// <summary>Messages that came in through this node, and that went out.</summary>
    internal TrafficMeter In { get; }

    internal TrafficMeter Out { get; }

    /// <inheritdoc/>
    public override Task<Wire.QueryRouteResponse> QueryRoute(
        Wire.QueryRouteRequest request, ServerCallContext context) =>
        GuardAsync(context, request, _queryRoute.HandleAsync, _queryRoute.Refuse);

    /// <inheritdoc/>
    public override Task<Wire.QueryAssignmentResponse> QueryAssignment(
        Wire.QueryAssignmentRequest request, ServerCallContext context) =>
        GuardAsync(context, request, _queryAssignment.HandleAsync, _queryAssignment.Refuse);

    /// <inheritdoc/>
    public override Task<Wire.SendMessageResponse> SendMessage(
        Wire.SendMessageRequest request, ServerCallContext context) =>
        _guard.RunHereAsync(context, request, _sendMessage);

    /// <summary>ReceiveMessage with frames that need not be protobuf objects: <see cref="MessagingBinding"/>.</summary>
    public Task ReceiveMessage(
        Wire.ReceiveMessageRequest request, IServerStreamWriter<ReceiveFrame> responseStream, ServerCallContext context) =>
        _guard.RunStreamAsync(context, call => _receiveMessage.HandleAsync(
            call,
            request,
            new CountingWriter<ReceiveFrame>(responseStream, static frame => frame.IsMessage, Out)));

    /// <inheritdoc/>
    public override Task<Wire.AckMessageResponse> AckMessage(
        Wire.AckMessageRequest request, ServerCallContext context) =>
        _guard.RunHereAsync(context, request, _ackMessage);

    /// <inheritdoc/>
    public override Task<Wire.ChangeInvisibleDurationResponse> ChangeInvisibleDuration(
        Wire.ChangeInvisibleDurationRequest request, ServerCallContext context) =>
        _guard.RunHereAsync(context, request, _changeInvisibleDuration);

    /// <inheritdoc/>
    public override Task<Wire.ForwardMessageToDeadLetterQueueResponse> ForwardMessageToDeadLetterQueue(
        Wire.ForwardMessageToDeadLetterQueueRequest request, ServerCallContext context) =>
        GuardAsync(context, request, _forwardToDeadLetterQueue.HandleAsync, _forwardToDeadLetterQueue.Refuse);

    /// <inheritdoc/>
    public override Task<Wire.HeartbeatResponse> Heartbeat(
        Wire.HeartbeatRequest request, ServerCallContext context) =>
        GuardAsync(context, request, _heartbeat.HandleAsync, static (_, status) => new() { Status = status });

    /// <inheritdoc/>
    public override Task<Wire.NotifyClientTerminationResponse> NotifyClientTermination(
        Wire.NotifyClientTerminationRequest request, ServerCallContext context) =>
        GuardAsync(
            context, request, _notifyClientTermination.HandleAsync, static (_, status) => new() { Status = status });

    /// <inheritdoc/>
    public override Task Telemetry(
        IAsyncStreamReader<Wire.TelemetryCommand> requestStream,
        IServerStreamWriter<Wire.TelemetryCommand> responseStream,
        ServerCallContext context) =>
        _guard.RunStreamAsync(context, call => _telemetry.HandleAsync(call, requestStream, responseStream, context));

    /// <inheritdoc/>
    public override Task<Wire.SyncLiteSubscriptionResponse> SyncLiteSubscription(
        Wire.SyncLiteSubscriptionRequest request, ServerCallContext context) =>
        GuardAsync(context, request, _syncLiteSubscription.HandleAsync, _syncLiteSubscription.Refuse);

    /// <inheritdoc/>
    public override Task PullMessage(
        Wire.PullMessageRequest request,
        IServerStreamWriter<Wire.PullMessageResponse> responseStream,
        ServerCallContext context) =>
        _guard.RunStreamAsync(context, call => _pullMessage.HandleAsync(
            call,
            request,
            new CountingWriter<Wire.PullMessageResponse>(
                responseStream,
                static frame => frame.ContentCase == Wire.PullMessageResponse.ContentOneofCase.Message,
                Out)));

    /// <inheritdoc/>
    public override Task<Wire.UpdateOffsetResponse> UpdateOffset(
        Wire.UpdateOffsetRequest request, ServerCallContext context) =>
        GuardAsync(context, request, _updateOffset.HandleAsync, _updateOffset.Refuse);

    /// <inheritdoc/>
    public override Task<Wire.GetOffsetResponse> GetOffset(
        Wire.GetOffsetRequest request, ServerCallContext context) =>
        GuardAsync(context, request, _getOffset.HandleAsync, _getOffset.Refuse);

    /// <inheritdoc/>
    public override Task<Wire.QueryOffsetResponse> QueryOffset(
        Wire.QueryOffsetRequest request, ServerCallContext context) =>
        GuardAsync(context, request, _queryOffset.HandleAsync, _queryOffset.Refuse);

    /// <inheritdoc/>
    public override Task<Wire.EndTransactionResponse> EndTransaction(
        Wire.EndTransactionRequest request, ServerCallContext context) =>
        GuardAsync(context, request, _endTransaction.HandleAsync, _endTransaction.Refuse);

    /// <inheritdoc/>
    public override Task<Wire.RecallMessageResponse> RecallMessage(
        Wire.RecallMessageRequest request, ServerCallContext context) =>
        GuardAsync(context, request, _recallMessage.HandleAsync, _recallMessage.Refuse);

    private Task<TResponse> GuardAsync<TRequest, TResponse>(
        ServerCallContext context,
        TRequest request,
        Func<ClientCall, TRequest, Task<TResponse>> handle,
        Func<TRequest, Wire.Status, TResponse> refuse) => _guard.RunHereAsync(
            context, call => handle(call, request), failure => refuse(request, StatusMapping.Of(failure)));
}
