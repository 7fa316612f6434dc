using Dledger.Broker;
using Dledger.Broker.Topics;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Routing;

/// <summary>Tells a push consumer what to poll: all queues at once, or each queue for a FIFO group.</summary>
/// <remarks>Every member of a group gets the same answer. Order within a FIFO group is kept by the leases, not by this.
/// </remarks>
internal sealed class QueryAssignmentHandler(BrokerNode broker, RouteEntries entries, LeaderRouter router)
    : ILeaderHandler<Wire.QueryAssignmentRequest, Wire.QueryAssignmentResponse>
{
    /// <summary>All queues of the broker.</summary>
    private const int AllQueues = -1;

    public string Method => "QueryAssignment";

    public bool IsRepeatable => true;

    public Task<Wire.QueryAssignmentResponse> HandleAsync(ClientCall call, Wire.QueryAssignmentRequest request)
    {
        var topicName = ResourceNames.Of(request.Topic, call);
        var groupName = ResourceNames.Of(request.Group, call);
        if (CallRules.CheckTopicAndGroup(call, topicName, groupName) is { } violation)
        {
            return Task.FromResult(Refuse(request, StatusMapping.Of(violation)));
        }

        if (CallRules.CheckAccessPoint(request.Endpoints) is { } refusal)
        {
            return Task.FromResult(Refuse(request, refusal));
        }

        return broker.FindTopic(topicName) is { } topic && broker.FindGroup(groupName) is { } group
            ? Task.FromResult(Answer(call, request, topic, group.Fifo, broker.Status.Leader))
            : router.CallAsync(this, call, request);
    }

    public async ValueTask<LocalOutcome<Wire.QueryAssignmentResponse>> RunAsync(
        ClientCall call, Wire.QueryAssignmentRequest request, CancellationToken cancellationToken)
    {
        var (topic, failure) = await broker.FindOrCreateTopicAsync(
            ResourceNames.Of(request.Topic, call), cancellationToken);
        if (failure is { } failed)
        {
            return failed;
        }

        // A group that does not exist yet is refused by the receive, which says so better.
        var group = broker.FindGroup(ResourceNames.Of(request.Group, call));
        return Answer(call, request, topic!, group?.Fifo ?? false, broker.Status.Self);
    }

    public AsyncUnaryCall<Wire.QueryAssignmentResponse> Forward(
        NodeChannels channels, NodeId leader, Wire.QueryAssignmentRequest request, CallOptions options) =>
        channels.Messaging(leader).QueryAssignmentAsync(request, options);

    public Wire.QueryAssignmentResponse Refuse(Wire.QueryAssignmentRequest request, BrokerFailure failure) =>
        Refuse(request, StatusMapping.Of(failure));

    public Wire.QueryAssignmentResponse Refuse(Wire.QueryAssignmentRequest request, Wire.Status status) =>
        new() { Status = status };

    private Wire.QueryAssignmentResponse Answer(
        ClientCall call, Wire.QueryAssignmentRequest request, TopicView topic, bool isFifo, NodeId leader)
    {
        var response = new Wire.QueryAssignmentResponse { Status = StatusMapping.Ok };
        var place = entries.Broker(call, leader);
        var first = isFifo ? 0 : AllQueues;
        var end = isFifo ? topic.QueueCount : 0;
        for (var id = first; id < end; id++)
        {
            response.Assignments.Add(new Wire.Assignment
            {
                MessageQueue = RouteEntries.Queue(request.Topic, id, place, RouteEntries.Types(topic)),
            });
        }

        return response;
    }
}
