using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Offsets;

/// <summary>Where a group reads on in a queue.</summary>
internal sealed class GetOffsetHandler(BrokerNode broker, FrontendOptions options, LeaderRouter router)
    : ILeaderHandler<Wire.GetOffsetRequest, Wire.GetOffsetResponse>
{
    public string Method => "GetOffset";

    public bool IsRepeatable => true;

    public Task<Wire.GetOffsetResponse> HandleAsync(ClientCall call, Wire.GetOffsetRequest request) =>
        QueueNames.Check(call, request.Group, request.MessageQueue, options) is { } refusal
            ? Task.FromResult(Refuse(request, refusal))
            : router.CallAsync(this, call, request);

    public async ValueTask<LocalOutcome<Wire.GetOffsetResponse>> RunAsync(
        ClientCall call, Wire.GetOffsetRequest request, CancellationToken cancellationToken)
    {
        var answer = await broker.GetOffsetAsync(
            ResourceNames.Of(request.Group, call),
            ResourceNames.Of(request.MessageQueue.Topic, call),
            request.MessageQueue.Id,
            cancellationToken);
        return answer.Failure is { } failure
            ? failure
            : new Wire.GetOffsetResponse { Status = StatusMapping.Ok, Offset = answer.Offset };
    }

    public AsyncUnaryCall<Wire.GetOffsetResponse> Forward(
        NodeChannels channels, NodeId leader, Wire.GetOffsetRequest request, CallOptions options) =>
        channels.Messaging(leader).GetOffsetAsync(request, options);

    public Wire.GetOffsetResponse Refuse(Wire.GetOffsetRequest request, BrokerFailure failure) =>
        Refuse(request, StatusMapping.Of(failure));

    public Wire.GetOffsetResponse Refuse(Wire.GetOffsetRequest request, Wire.Status status) => new() { Status = status };
}
