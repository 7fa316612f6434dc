using Dledger.Broker;
using Dledger.Broker.Naming;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Consuming;

/// <summary>Finishes deliveries. One result per entry, in order; the response has their common code.</summary>
/// <remarks>An ack that is repeated is OK. A handle that can never be good again is INVALID_RECEIPT_HANDLE, because
/// clients repeat an ack for ever on any other failure.</remarks>
internal sealed class AckMessageHandler(BrokerNode broker, LeaderRouter router)
    : ILeaderHandler<Wire.AckMessageRequest, Wire.AckMessageResponse>,
        ICallHandler<Wire.AckMessageRequest, Wire.AckMessageResponse>
{
    public string Method => "AckMessage";

    public bool IsRepeatable => true;

    public Task<Wire.AckMessageResponse> HandleAsync(ClientCall call, Wire.AckMessageRequest request)
    {
        var topic = ResourceNames.Of(request.Topic, call);
        var group = ResourceNames.Of(request.Group, call);
        if (CallRules.CheckTopicAndGroup(call, topic, group) is { } violation)
        {
            return Task.FromResult(Refuse(request, StatusMapping.Of(violation)));
        }

        // The code of RocketMQ's own proxy, which has no better one for this.
        if (request.Entries.Count == 0)
        {
            return Task.FromResult(Refuse(
                request, StatusMapping.Status(Wire.Code.InternalServerError, "the field 'entries' is empty")));
        }

        return request.Entries.Count > Limits.AckBatchMax
            ? Task.FromResult(Refuse(request, StatusMapping.Status(
                Wire.Code.BadRequest,
                $"the field 'entries' has {request.Entries.Count} entries; the limit is {Limits.AckBatchMax}")))
            : router.CallAsync(this, call, request);
    }

    public async ValueTask<LocalOutcome<Wire.AckMessageResponse>> RunAsync(
        ClientCall call, Wire.AckMessageRequest request, CancellationToken cancellationToken)
    {
        var topic = ResourceNames.Of(request.Topic, call);
        var handles = new string[request.Entries.Count];
        for (var index = 0; index < handles.Length; index++)
        {
            // An empty text is no handle, so an entry with a lite topic that cannot be right ends nothing.
            var entry = request.Entries[index];
            handles[index] = LiteTopics.CheckHandle(broker, topic, entry.LiteTopic) is null ? entry.ReceiptHandle : "";
        }

        broker.ClientSeen(call.ClientId, ResourceNames.Of(request.Group, call));
        var outcomes = await broker.AckAsync(ResourceNames.Of(request.Group, call), topic, handles, cancellationToken);

        var response = new Wire.AckMessageResponse();
        response.Entries.Capacity = outcomes.Count;
        for (var index = 0; index < outcomes.Count; index++)
        {
            var failure = outcomes[index].Failure;
            if (failure is { } passing && LeaderRouter.MayRepeat(passing.Error, isRepeatable: true))
            {
                // All entries are asked again; those that are done answer OK again.
                return passing;
            }

            var status = LiteTopics.CheckHandle(broker, topic, request.Entries[index].LiteTopic)
                ?? (failure is { } lasting ? StatusMapping.Of(lasting) : StatusMapping.Ok);
            Add(response, request.Entries[index], status);
        }

        response.Status = HaveOneCode(response)
            ? response.Entries[0].Status
            : StatusMapping.Status(Wire.Code.MultipleResults, "the entries differ; look at each");
        return response;
    }

    public AsyncUnaryCall<Wire.AckMessageResponse> Forward(
        NodeChannels channels, NodeId leader, Wire.AckMessageRequest request, CallOptions options) =>
        channels.Messaging(leader).AckMessageAsync(request, options);

    public Wire.AckMessageResponse Refuse(Wire.AckMessageRequest request, BrokerFailure failure) =>
        Refuse(request, StatusMapping.Of(failure));

    public Wire.AckMessageResponse Refuse(Wire.AckMessageRequest request, Wire.Status status)
    {
        var response = new Wire.AckMessageResponse { Status = status };
        foreach (var entry in request.Entries)
        {
            Add(response, entry, status);
        }

        return response;
    }

    private static bool HaveOneCode(Wire.AckMessageResponse response)
    {
        for (var index = 1; index < response.Entries.Count; index++)
        {
            if (response.Entries[index].Status.Code != response.Entries[0].Status.Code)
            {
                return false;
            }
        }

        return true;
    }

    private static void Add(Wire.AckMessageResponse response, Wire.AckMessageEntry entry, Wire.Status status) =>
        response.Entries.Add(new Wire.AckMessageResultEntry
        {
            MessageId = entry.MessageId,
            ReceiptHandle = entry.ReceiptHandle,
            Status = status,
        });
}
