using Dledger.Broker;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Topics;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Administration;

/// <summary>What the administration does with topics, on the leader.</summary>
internal sealed class TopicAdministration(BrokerNode broker, FrontendOptions options)
{
    public ValueTask<LocalOutcome<ListTopicsResponse>> ListAsync(ListTopicsRequest request, CancellationToken _)
    {
        var response = new ListTopicsResponse { Status = StatusMapping.AdminOk() };
        response.Topics.AddRange(broker.Topics
            .Where(topic => request.IncludeInternal || !IsInternal(topic.Name))
            .OrderBy(topic => topic.Name, StringComparer.Ordinal)
            .Select(ToWire));
        return ValueTask.FromResult<LocalOutcome<ListTopicsResponse>>(response);
    }

    public async ValueTask<LocalOutcome<CreateTopicResponse>> CreateAsync(
        CreateTopicRequest request, CancellationToken cancellationToken)
    {
        var asked = request.Topic ?? new Topic();
        if (Names.CheckTopic(asked.Name) is { } violation)
        {
            return new CreateTopicResponse { Status = StatusMapping.AdminOf(violation) };
        }

        if (asked.AcceptMessageTypes.FirstOrDefault(type => type == 0 || !Enum.IsDefined(type), (Wire.MessageType)1)
            is not (Wire.MessageType)1 and var bad)
        {
            return new CreateTopicResponse
            {
                Status = StatusMapping.AdminOf(new Violation(
                    BrokenRule.MessageTypes, $"the message type {(int)bad} does not exist")),
            };
        }

        var spec = new TopicSpec
        {
            Name = asked.Name,
            QueueCount = asked.QueueCount == 0 ? options.QueueCountDefault : asked.QueueCount,
            AcceptedTypes = asked.AcceptMessageTypes.Count == 0
                ? MessageTypeSet.Normal
                : MessageTypeSet.Of([.. asked.AcceptMessageTypes.Select(type => (MessageType)(int)type)]),
        };
        var failure = await broker.CreateTopicAsync(spec, cancellationToken);
        var topic = broker.FindTopic(spec.Name);
        var isSame = topic is not null
            && topic.QueueCount == spec.QueueCount
            && topic.AcceptedTypes == spec.AcceptedTypes;
        if (failure is { } failed && !(failed.Error == BrokerError.AlreadyExists && isSame))
        {
            return failed;
        }

        return new CreateTopicResponse
        {
            Status = StatusMapping.AdminOk(),
            Topic = topic is null ? asked : ToWire(topic),
        };
    }

    public async ValueTask<LocalOutcome<DescribeTopicResponse>> DescribeAsync(
        DescribeTopicRequest request, CancellationToken cancellationToken)
    {
        var (description, failure) = await broker.DescribeTopicAsync(request.Name, cancellationToken);
        if (description is null)
        {
            return failure!.Value;
        }

        var response = new DescribeTopicResponse
        {
            Status = StatusMapping.AdminOk(),
            Topic = ToWire(description.Topic),
        };
        response.Queues.AddRange(description.Queues.OrderBy(queue => queue.QueueId).Select(queue => new TopicQueue
        {
            QueueId = queue.QueueId,
            MinOffset = queue.Min.Value,
            MaxOffset = queue.Max.Value,
        }));
        return response;
    }

    public async ValueTask<LocalOutcome<DeleteTopicResponse>> DeleteAsync(
        DeleteTopicRequest request, CancellationToken cancellationToken) =>
        await broker.DeleteTopicAsync(request.Name, cancellationToken) is { } failure
            ? failure
            : new DeleteTopicResponse { Status = StatusMapping.AdminOk() };

    private static bool IsInternal(string name) => name.StartsWith(Names.DeadLetterPrefix, StringComparison.Ordinal);

    private static Topic ToWire(TopicView topic)
    {
        var wire = new Topic { Name = topic.Name, QueueCount = topic.QueueCount };
        wire.AcceptMessageTypes.AddRange(topic.AcceptedTypes.ToList().Select(type => (Wire.MessageType)(int)type));
        return wire;
    }
}
