using Dledger.Broker;
using Dledger.Broker.Naming;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Producing;

/// <summary>Takes a delayed message back before it is delivered.</summary>
/// <remarks>Not repeated: the second try of a recall that took effect would say that there is no such message.</remarks>
internal sealed class RecallMessageHandler(BrokerNode broker, LeaderRouter router)
    : ILeaderHandler<Wire.RecallMessageRequest, Wire.RecallMessageResponse>
{
    public string Method => "RecallMessage";

    public bool IsRepeatable => false;

    public Task<Wire.RecallMessageResponse> HandleAsync(ClientCall call, Wire.RecallMessageRequest request)
    {
        var topic = ResourceNames.Of(request.Topic, call);
        return (CallRules.CheckClient(call) ?? Names.CheckTopic(topic)) is { } violation
            ? Task.FromResult(Refuse(request, StatusMapping.Of(violation)))
            : router.CallAsync(this, call, request);
    }

    public async ValueTask<LocalOutcome<Wire.RecallMessageResponse>> RunAsync(
        ClientCall call, Wire.RecallMessageRequest request, CancellationToken cancellationToken)
    {
        var outcome = await broker.RecallAsync(
            ResourceNames.Of(request.Topic, call), request.RecallHandle, cancellationToken);
        return outcome.Failure is { } failure
            ? failure
            : new Wire.RecallMessageResponse { Status = StatusMapping.Ok, MessageId = outcome.MessageId };
    }

    public AsyncUnaryCall<Wire.RecallMessageResponse> Forward(
        NodeChannels channels, NodeId leader, Wire.RecallMessageRequest request, CallOptions options) =>
        channels.Messaging(leader).RecallMessageAsync(request, options);

    public Wire.RecallMessageResponse Refuse(Wire.RecallMessageRequest request, BrokerFailure failure) =>
        Refuse(request, StatusMapping.Of(failure));

    public Wire.RecallMessageResponse Refuse(Wire.RecallMessageRequest request, Wire.Status status) =>
        new() { Status = status };
}
