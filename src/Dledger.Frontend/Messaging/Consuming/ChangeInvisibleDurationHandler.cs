using Dledger.Broker;
using Dledger.Broker.Naming;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging.Routing;
using Dledger.Primitives;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Consuming;

/// <summary>Moves the end of a lease, to now for "not this time".</summary>
/// <remarks>The former handle stays valid until the next delivery: one client never takes up the new one. A refusal
/// gives the former handle back, because another client takes up whatever the answer holds.</remarks>
internal sealed class ChangeInvisibleDurationHandler(BrokerNode broker, LeaderRouter router)
    : ILeaderHandler<Wire.ChangeInvisibleDurationRequest, Wire.ChangeInvisibleDurationResponse>,
        ICallHandler<Wire.ChangeInvisibleDurationRequest, Wire.ChangeInvisibleDurationResponse>
{
    public string Method => "ChangeInvisibleDuration";

    public bool IsRepeatable => true;

    public Task<Wire.ChangeInvisibleDurationResponse> HandleAsync(
        ClientCall call, Wire.ChangeInvisibleDurationRequest request)
    {
        var topic = ResourceNames.Of(request.Topic, call);
        var group = ResourceNames.Of(request.Group, call);
        var violation = CallRules.CheckTopicAndGroup(call, topic, group)
            ?? MessageRules.CheckChangedInvisible(DurationOf(request));
        return violation is { } broken ? Task.FromResult(Refuse(request, StatusMapping.Of(broken)))
            : LiteTopics.CheckHandle(broker, topic, request.LiteTopic) is { } lite ? Task.FromResult(Refuse(request, lite))
            : router.CallAsync(this, call, request);
    }

    public async ValueTask<LocalOutcome<Wire.ChangeInvisibleDurationResponse>> RunAsync(
        ClientCall call, Wire.ChangeInvisibleDurationRequest request, CancellationToken cancellationToken)
    {
        broker.ClientSeen(call.ClientId, ResourceNames.Of(request.Group, call));
        var outcome = await broker.ChangeInvisibleAsync(
            ResourceNames.Of(request.Group, call),
            ResourceNames.Of(request.Topic, call),
            request.ReceiptHandle,
            DurationOf(request),
            request.HasSuspend && request.Suspend,
            cancellationToken,
            raisesToBackoff: RouteEndpoints.IsNodeJs(call));
        return outcome.Failure is { } failure
            ? failure
            : new Wire.ChangeInvisibleDurationResponse
            {
                Status = StatusMapping.Ok,
                ReceiptHandle = outcome.ReceiptHandle,
            };
    }

    public AsyncUnaryCall<Wire.ChangeInvisibleDurationResponse> Forward(
        NodeChannels channels, NodeId leader, Wire.ChangeInvisibleDurationRequest request, CallOptions options) =>
        channels.Messaging(leader).ChangeInvisibleDurationAsync(request, options);

    public bool SaysNothingWasDone(Wire.ChangeInvisibleDurationResponse response) =>
        response.Status.Code != Wire.Code.Ok;

    public Wire.ChangeInvisibleDurationResponse Refuse(
        Wire.ChangeInvisibleDurationRequest request, BrokerFailure failure) =>
        Refuse(request, StatusMapping.Of(failure));

    public Wire.ChangeInvisibleDurationResponse Refuse(
        Wire.ChangeInvisibleDurationRequest request, Wire.Status status) =>
        new() { Status = status, ReceiptHandle = request.ReceiptHandle };

    /// <summary>Absent means zero: clients leave out what is zero.</summary>
    private static TimeSpan DurationOf(Wire.ChangeInvisibleDurationRequest request) =>
        request.InvisibleDuration is { } duration ? WireTime.ToTimeSpan(duration) : TimeSpan.Zero;
}
