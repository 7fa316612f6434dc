using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Offsets;

/// <summary>Sets where a group reads on in a queue.</summary>
internal sealed class UpdateOffsetHandler(BrokerNode broker, FrontendOptions options, LeaderRouter router)
    : ILeaderHandler<Wire.UpdateOffsetRequest, Wire.UpdateOffsetResponse>
{
    public string Method => "UpdateOffset";

    public bool IsRepeatable => true;

    public Task<Wire.UpdateOffsetResponse> HandleAsync(ClientCall call, Wire.UpdateOffsetRequest request) =>
        QueueNames.Check(call, request.Group, request.MessageQueue, options) is { } refusal
            ? Task.FromResult(Refuse(request, refusal))
            : router.CallAsync(this, call, request);

    public async ValueTask<LocalOutcome<Wire.UpdateOffsetResponse>> RunAsync(
        ClientCall call, Wire.UpdateOffsetRequest request, CancellationToken cancellationToken)
    {
        var failure = await broker.UpdateOffsetAsync(
            ResourceNames.Of(request.Group, call),
            ResourceNames.Of(request.MessageQueue.Topic, call),
            request.MessageQueue.Id,
            request.Offset,
            cancellationToken);
        return failure is { } failed ? failed : new Wire.UpdateOffsetResponse { Status = StatusMapping.Ok };
    }

    public AsyncUnaryCall<Wire.UpdateOffsetResponse> Forward(
        NodeChannels channels, NodeId leader, Wire.UpdateOffsetRequest request, CallOptions options) =>
        channels.Messaging(leader).UpdateOffsetAsync(request, options);

    public Wire.UpdateOffsetResponse Refuse(Wire.UpdateOffsetRequest request, BrokerFailure failure) =>
        Refuse(request, StatusMapping.Of(failure));

    public Wire.UpdateOffsetResponse Refuse(Wire.UpdateOffsetRequest request, Wire.Status status) => new() { Status = status };
}
