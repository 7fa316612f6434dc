using Dledger.Broker;
using Dledger.Broker.Groups;
using Dledger.Broker.Naming;
using Dledger.Broker.Quotas;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Frontend.Administration;

/// <summary>What the administration does with consumer groups, on the leader.</summary>
internal sealed class GroupAdministration(BrokerNode broker)
{
    public ValueTask<LocalOutcome<ListGroupsResponse>> ListAsync(ListGroupsRequest request, CancellationToken _)
    {
        var response = new ListGroupsResponse { Status = StatusMapping.AdminOk() };
        response.Groups.AddRange(broker.Groups.OrderBy(group => group.Name, StringComparer.Ordinal).Select(ToWire));
        return ValueTask.FromResult<LocalOutcome<ListGroupsResponse>>(response);
    }

    public async ValueTask<LocalOutcome<CreateGroupResponse>> CreateAsync(
        CreateGroupRequest request, CancellationToken cancellationToken)
    {
        var asked = request.Group ?? new Group();
        if (Names.CheckGroup(asked.Name) is { } violation)
        {
            return new CreateGroupResponse { Status = StatusMapping.AdminOf(violation) };
        }

        var spec = new GroupSpec { Name = asked.Name, Fifo = asked.Fifo, Settings = SettingsOf(asked) };
        var failure = await broker.CreateGroupAsync(spec, cancellationToken);
        var group = broker.FindGroup(spec.Name);
        var isSame = group is not null
            && group.Fifo == spec.Fifo
            && group.Settings with { HasMixedFilters = false } == spec.Settings;
        if (failure is { } failed && !(failed.Error == BrokerError.AlreadyExists && isSame))
        {
            return failed;
        }

        return new CreateGroupResponse
        {
            Status = StatusMapping.AdminOk(),
            Group = group is null ? asked : ToWire(group),
        };
    }

    public async ValueTask<LocalOutcome<AlterGroupResponse>> AlterAsync(
        AlterGroupRequest request, CancellationToken cancellationToken)
    {
        var change = new GroupChange
        {
            Name = request.Name,
            MaxAttempts = request.HasMaxAttempts ? request.MaxAttempts : null,
            Backoff = request.Backoff.Count == 0 ? null : PolicyOf(request.Backoff),
            Mismatch = request.Mismatch == Protocol.Admin.V1.MismatchPolicy.Unspecified ? null : PolicyOf(request.Mismatch),
            Poison = request.HasPoison ? GroupModes.FromWire(request.Poison) : null,
            BackoffOnExpiry = request.HasBackoffOnExpiry ? request.BackoffOnExpiry : null,
            AckMode = request.HasAckMode ? GroupModes.FromWire(request.AckMode) : null,
            Exclusive = request.HasExclusive ? request.Exclusive : null,
            MaxInFlight = request.HasMaxInFlight ? request.MaxInFlight : null,
            MaxInFlightPerClient = request.HasMaxInFlightPerClient ? request.MaxInFlightPerClient : null,
            Expiry = request.HasExpiry ? GroupModes.FromWire(request.Expiry) : null,
            ReceiveMessagesPerSecond = request.HasReceiveMessagesPerSecond ? request.ReceiveMessagesPerSecond : null,
            ReceiveBytesPerSecond = request.HasReceiveBytesPerSecond ? request.ReceiveBytesPerSecond : null,
            Broadcast = request.HasBroadcast ? request.Broadcast : null,
            MemberExpiry = request.MemberExpiry is { } expiry ? WireTime.ToTimeSpan(expiry) : null,
            DedupSource = GroupDedups.SourceOf(request.Dedup),
            DedupProperty = request.Dedup is { Property.Length: > 0 } dedup ? dedup.Property : null,
            DedupWindow = request.Dedup?.Window is { } window ? GroupDedups.WindowOf(window) : null,
            DedupCount = request.Dedup is { HasCount: true } bounded ? bounded.Count : null,
            LiteSubscriptionQuota = request.HasLiteSubscriptionQuota ? request.LiteSubscriptionQuota : null,
        };
        if (await broker.UpdateGroupAsync(change, cancellationToken) is { } failure)
        {
            return failure;
        }

        return broker.FindGroup(change.Name) is { } group
            ? new AlterGroupResponse { Status = StatusMapping.AdminOk(), Group = ToWire(group) }
            : new BrokerFailure(BrokerError.GroupNotFound, $"the consumer group '{change.Name}' was deleted");
    }

    public async ValueTask<LocalOutcome<DeleteGroupResponse>> DeleteAsync(
        DeleteGroupRequest request, CancellationToken cancellationToken) =>
        await broker.DeleteGroupAsync(request.Name, cancellationToken) is { } failure
            ? failure
            : new DeleteGroupResponse { Status = StatusMapping.AdminOk() };

    public async ValueTask<LocalOutcome<DescribeGroupResponse>> DescribeAsync(
        DescribeGroupRequest request, CancellationToken cancellationToken)
    {
        var (description, failure) = await broker.DescribeGroupAsync(request.Name, cancellationToken);
        if (description is null)
        {
            return failure!.Value;
        }

        var response = new DescribeGroupResponse
        {
            Status = StatusMapping.AdminOk(),
            Group = ToWire(description.Group),
        };
        response.Queues.AddRange(QueuesOf(description.Queues));
        if (response.Group.Dedup is { } dedup)
        {
            dedup.Remembered = description.ProcessedCount;
            dedup.Repeats = description.RepeatCount;
        }

        response.Members.AddRange(description.Members.Select(member => new Protocol.Admin.V1.GroupMember
        {
            ClientId = member.ClientId,
            Topic = member.Topic,
            Filter = member.Filter,
            Mismatch = member.Differs,
        }));
        foreach (var member in description.Broadcast)
        {
            var wire = new Protocol.Admin.V1.BroadcastMember
            {
                ClientId = member.ClientId,
                Joined = GroupModes.TimeOf(member.JoinedAtMicroseconds),
                Seen = GroupModes.TimeOf(member.UsedAtMicroseconds),
            };
            wire.Queues.AddRange(QueuesOf(member.Queues));
            response.BroadcastMembers.Add(wire);
        }

        return response;
    }

    private static IEnumerable<GroupQueue> QueuesOf(IEnumerable<GroupQueueDescription> queues) => queues
        .OrderBy(queue => queue.Topic, StringComparer.Ordinal)
        .ThenBy(queue => queue.QueueId)
        .Select(queue => new GroupQueue
        {
            Topic = queue.Topic,
            QueueId = queue.QueueId,
            CommittedOffset = queue.CommitOffset.Value,
            MaxOffset = queue.Max.Value,
            InFlightCount = queue.InFlight,
            LagCount = queue.Lag,
        });

    private static GroupSettings SettingsOf(Group asked) => new()
    {
        MaxAttempts = asked.MaxAttempts == 0 ? GroupSettings.Default.MaxAttempts : asked.MaxAttempts,
        Backoff = asked.Backoff.Count == 0 ? GroupSettings.Default.Backoff : PolicyOf(asked.Backoff),
        Mismatch = PolicyOf(asked.Mismatch),
        Poison = GroupModes.FromWire(asked.Poison),
        BackoffOnExpiry = asked.BackoffOnExpiry,
        AckMode = GroupModes.FromWire(asked.AckMode),
        Exclusive = asked.Exclusive,
        MaxInFlight = asked.MaxInFlight == 0 ? GroupSettings.Default.MaxInFlight : asked.MaxInFlight,
        MaxInFlightPerClient =
            asked.MaxInFlightPerClient == 0 ? GroupSettings.Default.MaxInFlightPerClient : asked.MaxInFlightPerClient,
        Expiry = GroupModes.FromWire(asked.Expiry),
        ReceiveQuota = new QuotaRates(asked.ReceiveMessagesPerSecond, asked.ReceiveBytesPerSecond),
        Broadcast = asked.Broadcast,
        MemberExpiry = asked.MemberExpiry is { } expiry ? WireTime.ToTimeSpan(expiry) : GroupSettings.Default.MemberExpiry,
        Dedup = GroupDedups.FromWire(asked.Dedup),
        LiteSubscriptionQuota = asked.LiteSubscriptionQuota == 0
            ? GroupSettings.Default.LiteSubscriptionQuota
            : asked.LiteSubscriptionQuota,
    };

    private static BackoffPolicy PolicyOf(IEnumerable<Duration> waits) =>
        BackoffPolicy.Customized([.. waits.Select(WireTime.ToTimeSpan)]);

    // A number that is none of ours stays one, so that the rules refuse it.
    private static Broker.Filtering.MismatchPolicy PolicyOf(Protocol.Admin.V1.MismatchPolicy policy) => policy switch
    {
        Protocol.Admin.V1.MismatchPolicy.Unspecified or Protocol.Admin.V1.MismatchPolicy.Report =>
            Broker.Filtering.MismatchPolicy.Report,
        _ => (Broker.Filtering.MismatchPolicy)((int)policy - 1),
    };

    internal static Group ToWire(GroupView group)
    {
        var wire = new Group { Name = group.Name, Fifo = group.Fifo, MaxAttempts = group.MaxAttempts };
        wire.Mismatch = (Protocol.Admin.V1.MismatchPolicy)((int)group.Settings.Mismatch + 1);
        wire.LiteSubscriptionQuota = group.Settings.LiteSubscriptionQuota;
        GroupModes.ToWire(group, wire);
        wire.Dedup = GroupDedups.ToWire(group.Settings.Dedup);
        wire.Backoff.AddRange(group.Backoff.Steps.Select(Duration.FromTimeSpan));
        return wire;
    }
}
