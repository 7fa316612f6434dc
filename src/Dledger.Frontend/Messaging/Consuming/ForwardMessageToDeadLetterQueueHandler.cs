using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Consuming;

/// <summary>Gives a delivered message up: a copy goes to the dead letter topic of the group.</summary>
internal sealed class ForwardMessageToDeadLetterQueueHandler(BrokerNode broker, LeaderRouter router)
    : ILeaderHandler<Wire.ForwardMessageToDeadLetterQueueRequest, Wire.ForwardMessageToDeadLetterQueueResponse>
{
    public string Method => "ForwardMessageToDeadLetterQueue";

    public bool IsRepeatable => true;

    public Task<Wire.ForwardMessageToDeadLetterQueueResponse> HandleAsync(
        ClientCall call, Wire.ForwardMessageToDeadLetterQueueRequest request)
    {
        var topic = ResourceNames.Of(request.Topic, call);
        var group = ResourceNames.Of(request.Group, call);
        return CallRules.CheckTopicAndGroup(call, topic, group) is { } violation
            ? Task.FromResult(Refuse(request, StatusMapping.Of(violation)))
            : LiteTopics.CheckHandle(broker, topic, request.LiteTopic) is { } lite ? Task.FromResult(Refuse(request, lite))
            : router.CallAsync(this, call, request);
    }

    public async ValueTask<LocalOutcome<Wire.ForwardMessageToDeadLetterQueueResponse>> RunAsync(
        ClientCall call, Wire.ForwardMessageToDeadLetterQueueRequest request, CancellationToken cancellationToken)
    {
        broker.ClientSeen(call.ClientId, ResourceNames.Of(request.Group, call));
        var failure = await broker.ForwardToDeadLetterAsync(
            ResourceNames.Of(request.Group, call),
            ResourceNames.Of(request.Topic, call),
            request.ReceiptHandle,
            cancellationToken);
        return failure is { } failed
            ? failed
            : new Wire.ForwardMessageToDeadLetterQueueResponse { Status = StatusMapping.Ok };
    }

    public AsyncUnaryCall<Wire.ForwardMessageToDeadLetterQueueResponse> Forward(
        NodeChannels channels,
        NodeId leader,
        Wire.ForwardMessageToDeadLetterQueueRequest request,
        CallOptions options) =>
        channels.Messaging(leader).ForwardMessageToDeadLetterQueueAsync(request, options);

    public bool SaysNothingWasDone(Wire.ForwardMessageToDeadLetterQueueResponse response) =>
        response.Status.Code != Wire.Code.Ok;

    public Wire.ForwardMessageToDeadLetterQueueResponse Refuse(
        Wire.ForwardMessageToDeadLetterQueueRequest request, BrokerFailure failure) =>
        Refuse(request, StatusMapping.Of(failure));

    public Wire.ForwardMessageToDeadLetterQueueResponse Refuse(
        Wire.ForwardMessageToDeadLetterQueueRequest request, Wire.Status status) => new() { Status = status };
}
