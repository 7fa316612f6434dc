using Dledger.Broker;
using Dledger.Broker.Offsets;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Offsets;

/// <summary>Turns the begin of a queue, its end or a time into an offset.</summary>
internal sealed class QueryOffsetHandler(BrokerNode broker, FrontendOptions options, LeaderRouter router)
    : ILeaderHandler<Wire.QueryOffsetRequest, Wire.QueryOffsetResponse>
{
    public string Method => "QueryOffset";

    public bool IsRepeatable => true;

    public Task<Wire.QueryOffsetResponse> HandleAsync(ClientCall call, Wire.QueryOffsetRequest request) =>
        Check(call, request) is { } refusal
            ? Task.FromResult(Refuse(request, refusal))
            : router.CallAsync(this, call, request);

    public async ValueTask<LocalOutcome<Wire.QueryOffsetResponse>> RunAsync(
        ClientCall call, Wire.QueryOffsetRequest request, CancellationToken cancellationToken)
    {
        var place = request.QueryOffsetPolicy switch
        {
            Wire.QueryOffsetPolicy.End => SeekTarget.Latest,
            Wire.QueryOffsetPolicy.Timestamp => SeekTarget.Time(WireTime.ToMicroseconds(request.Timestamp)),
            _ => SeekTarget.Earliest,
        };
        var answer = await broker.QueryOffsetAsync(
            ResourceNames.Of(request.MessageQueue.Topic, call), request.MessageQueue.Id, place, cancellationToken);
        return answer.Failure is { } failure
            ? failure
            : new Wire.QueryOffsetResponse { Status = StatusMapping.Ok, Offset = answer.Offset };
    }

    private Wire.Status? Check(ClientCall call, Wire.QueryOffsetRequest request)
    {
        if (QueueNames.Check(call, request.MessageQueue, options) is { } refusal)
        {
            return refusal;
        }

        return request.QueryOffsetPolicy switch
        {
            Wire.QueryOffsetPolicy.Beginning or Wire.QueryOffsetPolicy.End => null,
            Wire.QueryOffsetPolicy.Timestamp => request.Timestamp is null
                ? StatusMapping.Status(Wire.Code.BadRequest, "the field 'timestamp' is missing")
                : null,
            _ => StatusMapping.Status(
                Wire.Code.BadRequest, "the field 'query_offset_policy' is none of BEGINNING, END and TIMESTAMP"),
        };
    }

    public AsyncUnaryCall<Wire.QueryOffsetResponse> Forward(
        NodeChannels channels, NodeId leader, Wire.QueryOffsetRequest request, CallOptions options) =>
        channels.Messaging(leader).QueryOffsetAsync(request, options);

    public Wire.QueryOffsetResponse Refuse(Wire.QueryOffsetRequest request, BrokerFailure failure) =>
        Refuse(request, StatusMapping.Of(failure));

    public Wire.QueryOffsetResponse Refuse(Wire.QueryOffsetRequest request, Wire.Status status) => new() { Status = status };
}
