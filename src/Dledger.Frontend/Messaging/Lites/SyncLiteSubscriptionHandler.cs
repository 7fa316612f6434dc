using Dledger.Broker;
using Dledger.Broker.Lites;
using Dledger.Broker.Naming;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Lites;

/// <summary>Changes the set of lite topics that a client is given messages of.</summary>
internal sealed class SyncLiteSubscriptionHandler(BrokerNode broker, LeaderRouter router, LiteClients clients)
    : ILeaderHandler<Wire.SyncLiteSubscriptionRequest, Wire.SyncLiteSubscriptionResponse>
{
    public string Method => "SyncLiteSubscription";

    public bool IsRepeatable => true;

    public async Task<Wire.SyncLiteSubscriptionResponse> HandleAsync(ClientCall call, Wire.SyncLiteSubscriptionRequest request)
    {
        var client = new LiteClient(call.ClientId, ResourceNames.Of(request.Group, call), ResourceNames.Of(request.Topic, call));
        if (Check(call, client, request) is { } violation)
        {
            return Refuse(request, StatusMapping.Of(violation));
        }

        if (call.ForwardedBy is not null)
        {
            return await router.CallAsync(this, call, request);
        }

        var gate = clients.GateOf(client);
        await gate.WaitAsync(call.CancellationToken);
        try
        {
            var response = await router.CallAsync(this, call, request);
            if (response.Status.Code == Wire.Code.Ok)
            {
                clients.Note(client, (LiteAction)(int)request.Action, request.LiteTopicSet);
            }

            return response;
        }
        finally
        {
            gate.Release();
        }
    }

    public async ValueTask<LocalOutcome<Wire.SyncLiteSubscriptionResponse>> RunAsync(
        ClientCall call, Wire.SyncLiteSubscriptionRequest request, CancellationToken cancellationToken)
    {
        var group = ResourceNames.Of(request.Group, call);
        broker.ClientSeen(call.ClientId, group);
        var sync = new LiteSync(
            group,
            ResourceNames.Of(request.Topic, call),
            call.ClientId,
            (LiteAction)(int)request.Action,
            request.LiteTopicSet,
            OffsetOf(request.OffsetOption));
        return await broker.SyncLiteAsync(sync, cancellationToken) is { } failure
            ? failure
            : new Wire.SyncLiteSubscriptionResponse { Status = StatusMapping.Ok };
    }

    public AsyncUnaryCall<Wire.SyncLiteSubscriptionResponse> Forward(
        NodeChannels channels, NodeId leader, Wire.SyncLiteSubscriptionRequest request, CallOptions options) =>
        channels.Messaging(leader).SyncLiteSubscriptionAsync(request, options);

    public Wire.SyncLiteSubscriptionResponse Refuse(Wire.SyncLiteSubscriptionRequest request, BrokerFailure failure) =>
        Refuse(request, StatusMapping.Of(failure));

    public Wire.SyncLiteSubscriptionResponse Refuse(Wire.SyncLiteSubscriptionRequest request, Wire.Status status) =>
        new() { Status = status };

    private static Violation? Check(ClientCall call, LiteClient client, Wire.SyncLiteSubscriptionRequest request)
    {
        if (CallRules.CheckTopicAndGroup(call, client.Topic, client.Group) is { } names)
        {
            return names;
        }

        if (!Enum.IsDefined(request.Action))
        {
            return new Violation(BrokenRule.LiteSettings, $"the field 'action' is {(int)request.Action}; 0 to 3 exist");
        }

        return request.OffsetOption is { OffsetTypeCase: Wire.OffsetOption.OffsetTypeOneofCase.Policy } option
            && !Enum.IsDefined(option.Policy)
                ? new Violation(BrokenRule.Offset, $"the field 'offset_option.policy' is {(int)option.Policy}; 0 to 2 exist")
                : request.LiteTopicSet.Select(LiteRules.CheckName).FirstOrDefault(violation => violation is not null);
    }

    // The time is in milliseconds, as all of RocketMQ's are.
    private static LiteOffset OffsetOf(Wire.OffsetOption? option) => option?.OffsetTypeCase switch
    {
        Wire.OffsetOption.OffsetTypeOneofCase.Policy => new LiteOffset((LiteOffsetKind)(int)option.Policy),
        Wire.OffsetOption.OffsetTypeOneofCase.Offset => new LiteOffset(LiteOffsetKind.Offset, option.Offset),
        Wire.OffsetOption.OffsetTypeOneofCase.TailN => new LiteOffset(LiteOffsetKind.Tail, option.TailN),
        Wire.OffsetOption.OffsetTypeOneofCase.Timestamp =>
            new LiteOffset(LiteOffsetKind.Time, Math.Clamp(option.Timestamp, 0, long.MaxValue / 1_000) * 1_000),
        _ => default,
    };
}
