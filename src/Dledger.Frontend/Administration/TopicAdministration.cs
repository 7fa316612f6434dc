using Dledger.Broker;
using Dledger.Broker.Lites;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Quotas;
using Dledger.Broker.Topics;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;
using Enum = System.Enum;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Administration;

/// <summary>What the administration does with topics, on the leader.</summary>
internal sealed class TopicAdministration(BrokerNode broker, FrontendOptions options)
{
    private const long SecondsMax = 1L << 32;

    /// <summary>Priorities 0 to 9, unless the topic is made with a number of its own.</summary>
    private const int PriorityBandsDefault = 10;

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

        if (CheckTypes(asked.AcceptMessageTypes) is { } bad)
        {
            return new CreateTopicResponse { Status = StatusMapping.AdminOf(bad) };
        }

        var types = asked.AcceptMessageTypes.Count == 0 ? MessageTypeSet.Normal : SetOf(asked.AcceptMessageTypes);
        var spec = new TopicSpec
        {
            Name = asked.Name,
            QueueCount = asked.QueueCount != 0 ? asked.QueueCount
                : types == MessageTypeSet.Priority ? PriorityBandsDefault
                : types == MessageTypeSet.Lite ? 1
                : options.QueueCountDefault,
            AcceptedTypes = types,
            RetentionTime = TimeOf(asked.RetentionTime) ?? TimeSpan.Zero,
            RetentionBytes = asked.RetentionBytes,
            IdWindowTime = TimeOf(asked.IdWindowTime) ?? TimeSpan.Zero,
            IdWindowCount = asked.IdWindowCount,
            ProduceQuota = new QuotaRates(asked.ProduceMessagesPerSecond, asked.ProduceBytesPerSecond),
            LiteExpiry = TimeOf(asked.LiteExpiry) ?? LiteSettings.Default.Expiry,
            LiteTopicsMax = asked.LiteTopicsMax == 0 ? LiteSettings.Default.CountMax : asked.LiteTopicsMax,
        };
        var failure = await broker.CreateTopicAsync(spec, cancellationToken);
        var topic = broker.FindTopic(spec.Name);
        var isSame = topic is not null
            && topic.QueueCount == spec.QueueCount
            && topic.AcceptedTypes == spec.AcceptedTypes
            && (topic.Retention.Time ?? TimeSpan.Zero) == spec.RetentionTime
            && topic.Retention.Bytes == spec.RetentionBytes
            && (topic.IdWindow.Time ?? TimeSpan.Zero) == spec.IdWindowTime
            && topic.IdWindow.Count == spec.IdWindowCount
            && topic.Settings.ProduceQuota == spec.ProduceQuota
            && topic.Lite.Expiry == spec.LiteExpiry
            && topic.Lite.CountMax == spec.LiteTopicsMax;
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

    public async ValueTask<LocalOutcome<AlterTopicResponse>> AlterAsync(
        AlterTopicRequest request, CancellationToken cancellationToken)
    {
        if (CheckTypes(request.AcceptMessageTypes) is { } bad)
        {
            return new AlterTopicResponse { Status = StatusMapping.AdminOf(bad) };
        }

        var change = new TopicChange
        {
            Name = request.Name,
            QueueCount = request.QueueCount == 0 ? null : request.QueueCount,
            AcceptedTypes = request.AcceptMessageTypes.Count == 0 ? null : SetOf(request.AcceptMessageTypes),
            RetentionTime = TimeOf(request.RetentionTime),
            RetentionBytes = request.HasRetentionBytes ? request.RetentionBytes : null,
            IdWindowTime = TimeOf(request.IdWindowTime),
            IdWindowCount = request.HasIdWindowCount ? request.IdWindowCount : null,
            ProduceMessagesPerSecond = request.HasProduceMessagesPerSecond ? request.ProduceMessagesPerSecond : null,
            ProduceBytesPerSecond = request.HasProduceBytesPerSecond ? request.ProduceBytesPerSecond : null,
            LiteExpiry = TimeOf(request.LiteExpiry),
            LiteTopicsMax = request.HasLiteTopicsMax ? request.LiteTopicsMax : null,
        };
        if (await broker.UpdateTopicAsync(change, cancellationToken) is { } failure)
        {
            return failure;
        }

        return broker.FindTopic(change.Name) is { } topic
            ? new AlterTopicResponse { Status = StatusMapping.AdminOk(), Topic = ToWire(topic) }
            : new BrokerFailure(BrokerError.TopicNotFound, $"the topic '{change.Name}' was deleted");
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

        // Those of lite topics may be a hundred thousand; the list of these is another call.
        response.Queues.AddRange(description.Queues.OrderBy(queue => queue.QueueId).Take(Limits.QueueCountMax).Select(queue => new TopicQueue
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

    private static bool IsInternal(string name) =>
        name.StartsWith(Names.DeadLetterPrefix, StringComparison.Ordinal) || name == Names.DiscardedTransactionTopic;

    private static Violation? CheckTypes(IEnumerable<Wire.MessageType> types) =>
        types.FirstOrDefault(type => type == 0 || !Enum.IsDefined(type), (Wire.MessageType)1)
            is not (Wire.MessageType)1 and var bad
                ? new Violation(BrokenRule.MessageTypes, $"the message type {(int)bad} does not exist")
                : null;

    private static MessageTypeSet SetOf(IEnumerable<Wire.MessageType> types) =>
        MessageTypeSet.Of([.. types.Select(type => (MessageType)(int)type)]);

    // Null when it is absent. What no time span can say is out of the allowed range in any case.
    private static TimeSpan? TimeOf(Duration? duration) => duration switch
    {
        null => null,
        { Seconds: < 0 or > SecondsMax } or { Nanos: < 0 or >= 1_000_000_000 } => TimeSpan.MaxValue,
        _ => TimeSpan.FromTicks((duration.Seconds * TimeSpan.TicksPerSecond) + (duration.Nanos / 100)),
    };

    private static Topic ToWire(TopicView topic)
    {
        var wire = new Topic
        {
            Name = topic.Name,
            QueueCount = topic.QueueCount,
            RetentionTime = topic.Retention.Time is { } time ? Duration.FromTimeSpan(time) : null,
            RetentionBytes = topic.Retention.Bytes,
            IdWindowTime = topic.IdWindow.Time is { } window ? Duration.FromTimeSpan(window) : null,
            IdWindowCount = topic.IdWindow.CountMax,
            ProduceMessagesPerSecond = topic.Settings.ProduceQuota.MessagesPerSecond,
            ProduceBytesPerSecond = topic.Settings.ProduceQuota.BytesPerSecond,
        };
        if (topic.IsLite)
        {
            wire.LiteExpiry = Duration.FromTimeSpan(topic.Lite.Expiry);
            wire.LiteTopicsMax = topic.Lite.CountMax;
            wire.LiteTopicCount = topic.LiteCount;
        }

        wire.AcceptMessageTypes.AddRange(topic.AcceptedTypes.ToList().Select(type => (Wire.MessageType)(int)type));
        return wire;
    }
}
