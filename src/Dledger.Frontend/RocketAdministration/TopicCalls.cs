using System.Globalization;
using System.Text.Json;
using Dledger.Broker;
using Dledger.Broker.Topics;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging.Routing;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>What a topic is and where it is served.</summary>
internal sealed class TopicCalls(BrokerNode broker, FrontendOptions options, Arguments arguments, LeaderRouter router)
{
    /// <summary>RocketMQ's number for "may be read and written".</summary>
    private const int ReadWrite = 6;

    public BrokerFailure? Check(ClientCall call, Wire.DescribeTopicStatusRequest request) =>
        arguments.Deployment(request.DeploymentName) ?? Arguments.Topic(call, request.Topic);

    public async ValueTask<LocalOutcome<Wire.DescribeTopicStatusResponse>> DescribeAsync(
        ClientCall call, Wire.DescribeTopicStatusRequest request, CancellationToken cancellationToken)
    {
        var (description, failure) = await broker.DescribeTopicAsync(
            ResourceNames.Of(request.Topic, call), cancellationToken);
        if (description is null)
        {
            return failure!.Value;
        }

        var topic = description.Topic;
        var types = RouteEntries.Types(topic).ToArray();
        var response = new Wire.DescribeTopicStatusResponse
        {
            Status = StatusMapping.Ok,
            TopicMessageType = types.Length == 1 ? types[0] : Wire.MessageType.Unspecified,
            CreateTimestamp = WireTime.ToTimestamp(topic.CreatedAtMicroseconds),
        };
        response.Tags["message.type"] = string.Join(',', types.Select(WireNames.Of));
        response.Tags["queue.count"] = topic.QueueCount.ToString(CultureInfo.InvariantCulture);
        response.Tags["message.count"] = description.Queues
            .Sum(queue => queue.Max.Value - queue.Min.Value)
            .ToString(CultureInfo.InvariantCulture);
        return response;
    }

    public BrokerFailure? Check(ClientCall call, Wire.GetTopicRouteRequest request) =>
        arguments.Deployment(request.DeploymentName)
            ?? Arguments.Topic(call, request.Topic)
            ?? CheckNetwork(request.NetworkType)
            ?? CheckProtocol(request.ProtocolType);

    public ValueTask<LocalOutcome<Wire.GetTopicRouteResponse>> RouteAsync(
        ClientCall call, Wire.GetTopicRouteRequest request, CancellationToken cancellationToken)
    {
        // Looked for, never created: who looks at a topic does not mean to use it.
        var name = ResourceNames.Of(request.Topic, call);
        return ValueTask.FromResult<LocalOutcome<Wire.GetTopicRouteResponse>>(broker.FindTopic(name) is { } topic
            ? Answer(topic, router.Nodes.Find(options.Self)!)
            : new BrokerFailure(BrokerError.TopicNotFound, $"the topic '{name}' does not exist"));
    }

    private static BrokerFailure? CheckNetwork(Wire.GetTopicRouteRequest.Types.NetworkType type) => Enum.IsDefined(type)
        ? null
        : Arguments.Bad($"the field 'network_type' is {(int)type}; 0, 1 and 2 are allowed");

    private static BrokerFailure? CheckProtocol(string protocol) => protocol.ToUpperInvariant() switch
    {
        "" or "GRPC" or "GRPC_V2" => null,
        "REMOTING" => Arguments.Absent(
            "the field 'protocol_type' asks for the older remoting protocol, which this server does not speak; ask for 'grpc'"),
        _ => Arguments.Bad(
            $"the field 'protocol_type' is '{Arguments.Printable(protocol)}'; 'grpc' or nothing is allowed"),
    };

    // The form of RocketMQ's name servers: one broker, which is the leader, under id 0.
    private Wire.GetTopicRouteResponse Answer(TopicView topic, FrontendNode leader)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("brokerDatas");
            json.WriteStartObject();
            json.WriteStartObject("brokerAddrs");
            json.WriteString("0", leader.ClientAddress);
            json.WriteEndObject();
            json.WriteString("brokerName", options.GroupName);
            json.WriteString("cluster", options.GroupName);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteStartObject("filterServerTable");
            json.WriteEndObject();
            json.WriteStartArray("queueDatas");
            json.WriteStartObject();
            json.WriteString("brokerName", options.GroupName);
            json.WriteNumber("perm", ReadWrite);
            json.WriteNumber("readQueueNums", topic.QueueCount);
            json.WriteNumber("topicSysFlag", 0);
            json.WriteNumber("writeQueueNums", topic.QueueCount);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return new Wire.GetTopicRouteResponse
        {
            Status = StatusMapping.Ok,
            TopicRouteData = System.Text.Encoding.UTF8.GetString(buffer.ToArray()),
        };
    }
}
