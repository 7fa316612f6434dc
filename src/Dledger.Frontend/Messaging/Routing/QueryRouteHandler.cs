using Dledger.Broker;
using Dledger.Broker.Topics;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Routing;

/// <summary>Tells a client where the queues of a topic are served. Any node answers for a topic that it
/// knows.</summary>
/// <remarks>A topic that this node does not know is asked for at the leader, which creates it where that is allowed; so
/// a topic is found everywhere as soon as its creation was acknowledged.</remarks>
internal sealed class QueryRouteHandler(BrokerNode broker, RouteEntries entries, LeaderRouter router)
    : ILeaderHandler<Wire.QueryRouteRequest, Wire.QueryRouteResponse>
{
    public string Method => "QueryRoute";

    public bool IsRepeatable => true;

    public Task<Wire.QueryRouteResponse> HandleAsync(ClientCall call, Wire.QueryRouteRequest request)
    {
        var name = ResourceNames.Of(request.Topic, call);
        if (CallRules.CheckTopic(call, name) is { } violation)
        {
            return Task.FromResult(Refuse(request, StatusMapping.Of(violation)));
        }

        if (CallRules.CheckAccessPoint(request.Endpoints) is { } refusal)
        {
            return Task.FromResult(Refuse(request, refusal));
        }

        return broker.FindTopic(name) is { } topic
            ? Task.FromResult(Answer(call, request, topic, broker.Status.Leader))
            : router.CallAsync(this, call, request);
    }

    public async ValueTask<LocalOutcome<Wire.QueryRouteResponse>> RunAsync(
        ClientCall call, Wire.QueryRouteRequest request, CancellationToken cancellationToken)
    {
        var (topic, failure) = await broker.FindOrCreateTopicAsync(
            ResourceNames.Of(request.Topic, call), cancellationToken);
        return failure is { } failed ? failed : Answer(call, request, topic!, broker.Status.Self);
    }

    public AsyncUnaryCall<Wire.QueryRouteResponse> Forward(
        NodeChannels channels, NodeId leader, Wire.QueryRouteRequest request, CallOptions options) =>
        channels.Messaging(leader).QueryRouteAsync(request, options);

    public Wire.QueryRouteResponse Refuse(Wire.QueryRouteRequest request, BrokerFailure failure) =>
        Refuse(request, StatusMapping.Of(failure));

    public Wire.QueryRouteResponse Refuse(Wire.QueryRouteRequest request, Wire.Status status) =>
        new() { Status = status };

    private Wire.QueryRouteResponse Answer(
        ClientCall call, Wire.QueryRouteRequest request, TopicView topic, NodeId leader)
    {
        var response = new Wire.QueryRouteResponse { Status = StatusMapping.Ok };
        var place = entries.Broker(call, leader);
        var types = RouteEntries.Types(topic).ToArray();
        for (var id = 0; id < topic.QueueCount; id++)
        {
            response.MessageQueues.Add(RouteEntries.Queue(request.Topic, id, place, types));
        }

        return response;
    }
}
