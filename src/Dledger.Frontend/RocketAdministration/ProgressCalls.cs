using Dledger.Broker;
using Dledger.Broker.Groups;
using Dledger.Broker.Offsets;
using Dledger.Broker.Surveys;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging.Routing;
using Google.Protobuf.WellKnownTypes;
using Accumulation = Apache.Rocketmq.V2.DescribeGroupAccumulationResponse.Types.GroupAccumulation;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>How far a group is, and moving it.</summary>
internal sealed class ProgressCalls(BrokerNode broker, FrontendOptions options, Arguments arguments, LeaderRouter router, TimeProvider time)
{
    /// <summary>Topics that one request may name.</summary>
    private const int TopicsMax = 256;

    public BrokerFailure? Check(ClientCall call, Wire.DescribeGroupAccumulationRequest request) =>
        arguments.Deployment(request.DeploymentName)
            ?? Arguments.Group(call, request.Group)
            ?? Arguments.Topics(call, request.Topics, TopicsMax)
            ?? Arguments.LiteTopic(request.LiteTopic, request.Topics.Count);

    public async ValueTask<LocalOutcome<Wire.DescribeGroupAccumulationResponse>> DescribeAsync(
        ClientCall call, Wire.DescribeGroupAccumulationRequest request, CancellationToken cancellationToken)
    {
        var group = ResourceNames.Of(request.Group, call);
        var (description, failure) = await broker.DescribeGroupAsync(group, cancellationToken);
        if (description is null)
        {
            return failure!.Value;
        }

        var named = request.Topics.Select(topic => ResourceNames.Of(topic, call)).Distinct(StringComparer.Ordinal).ToArray();
        if (named.FirstOrDefault(name => broker.FindTopic(name) is null) is { } unknown)
        {
            return new BrokerFailure(BrokerError.TopicNotFound, $"the topic '{unknown}' does not exist");
        }

        var liteQueue = 0;
        if (request.LiteTopic.Length > 0
            && Arguments.FindLite(broker, broker.FindTopic(named[0])!, request.LiteTopic, out liteQueue) is { } noLite)
        {
            return noLite;
        }

        var (times, unread) = await broker.ReadQueueTimesAsync(group, [], cancellationToken);
        if (unread is { } refused)
        {
            return refused;
        }

        // Of a broadcast group: of all its clients together.
        GroupQueueDescription[] queues = [.. description.Queues, .. description.Broadcast.SelectMany(member => member.Queues)];
        var now = Now();
        var response = new Wire.DescribeGroupAccumulationResponse
        {
            Status = StatusMapping.Ok,
            Accumulation = Sum(queues, times, now),
        };
        var begun = queues.ToLookup(queue => queue.Topic, StringComparer.Ordinal);
        var timesByTopic = times.ToLookup(queue => queue.Topic, StringComparer.Ordinal);
        foreach (var topic in named.Where(begun.Contains))
        {
            var name = ResourceNames.WithoutNamespace(topic, ResourceNames.NamespaceOf(request.Group, call));
            response.TopicAccumulation[name] = Sum([.. begun[topic]], timesByTopic[topic], now);
        }

        if (request.LiteTopic.Length > 0 && begun.Contains(named[0]))
        {
            response.LiteTopicAccumulation[request.LiteTopic] = Sum(
                [.. begun[named[0]].Where(queue => queue.QueueId == liteQueue)],
                timesByTopic[named[0]].Where(queue => queue.QueueId == liteQueue),
                now);
        }

        // Where the group would begin in a topic that it never read is not a backlog yet.
        var rest = named.Where(name => !begun.Contains(name)).ToArray();
        if (rest.Length > 0)
        {
            response.Status = StatusMapping.Status(
                Wire.Code.Ok, $"the consumer group has read nothing of {string.Join(", ", rest)} yet, so there are no figures");
        }

        return response;
    }

    public BrokerFailure? Check(ClientCall call, Wire.QueryTimeSpanRequest request) =>
        arguments.Deployment(request.DeploymentName)
            ?? Arguments.Group(call, request.Group)
            ?? Arguments.Topics(call, request.Topics, TopicsMax);

    public async ValueTask<LocalOutcome<Wire.QueryTimeSpanResponse>> QueryTimeSpanAsync(
        ClientCall call, Wire.QueryTimeSpanRequest request, CancellationToken cancellationToken)
    {
        var (times, failure) = await broker.ReadQueueTimesAsync(
            ResourceNames.Of(request.Group, call),
            [.. request.Topics.Select(topic => ResourceNames.Of(topic, call)).Distinct(StringComparer.Ordinal)],
            cancellationToken);
        if (failure is { } refused)
        {
            return refused;
        }

        var now = Now();
        var space = ResourceNames.NamespaceOf(request.Group, call);
        var place = new RouteEntries(options, router.Nodes).Broker(call, options.Self);
        var response = new Wire.QueryTimeSpanResponse { Status = StatusMapping.Ok };
        response.QueueTimeSpanList.AddRange(times.Select(queue => new Wire.QueryTimeSpanResponse.Types.QueueTimeSpan
        {
            MessageQueue = RouteEntries.Queue(
                new Wire.Resource { ResourceNamespace = space, Name = ResourceNames.WithoutNamespace(queue.Topic, space) },
                queue.QueueId,
                place,
                broker.FindTopic(queue.Topic) is { } topic ? RouteEntries.Types(topic) : []),
            MinTimestamp = Milliseconds(queue.First),
            MaxTimestamp = Milliseconds(queue.Last),
            ConsumeTimestamp = Milliseconds(queue.Finished),
            DelayTimeMs = queue.Next is { } next ? Math.Max(0, (now - next) / 1_000) : 0,
        }));
        return response;
    }

    public BrokerFailure? Check(ClientCall call, Wire.ResetGroupOffsetRequest request) =>
        arguments.Deployment(request.DeploymentName)
            ?? Arguments.Group(call, request.Group)
            ?? Arguments.Topic(call, request.Topic)
            ?? (request.ResetTimestamp is null
                ? Arguments.Bad("the field 'reset_timestamp' is not set")
                : Arguments.Time("reset_timestamp", request.ResetTimestamp));

    public async ValueTask<LocalOutcome<Wire.ResetGroupOffsetResponse>> ResetAsync(
        ClientCall call, Wire.ResetGroupOffsetRequest request, CancellationToken cancellationToken)
    {
        var outcome = await broker.SeekAsync(
            new SeekRequest
            {
                Group = ResourceNames.Of(request.Group, call),
                Topic = ResourceNames.Of(request.Topic, call),
                Target = SeekTarget.Time(WireTime.ToMicroseconds(request.ResetTimestamp)),
            },
            cancellationToken);
        return outcome.Failure is { } failure ? failure : new Wire.ResetGroupOffsetResponse { Status = StatusMapping.Ok };
    }

    private static Accumulation Sum(
        IReadOnlyList<GroupQueueDescription> queues, IEnumerable<QueueTimes> times, long now)
    {
        long inFlight = queues.Sum(queue => queue.InFlight);
        var lag = Math.Max(inFlight, queues.Sum(queue => queue.Lag));
        var oldest = times.Min(queue => queue.Next);
        return new Accumulation
        {
            InflightMessages = inFlight,
            ReadyMessages = lag - inFlight,
            Accumulation = lag,
            DeliverDelayTime = oldest is { } since && lag > 0
                ? Duration.FromTimeSpan(TimeSpan.FromMicroseconds(Math.Max(0, now - since)))
                : null,
        };
    }

    private static long Milliseconds(long? microseconds) => (microseconds ?? 0) / 1_000;

    private long Now() => (time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
