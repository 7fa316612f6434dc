using Dledger.Broker.Commands;
using Dledger.Broker.Naming;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Groups;

/// <summary>Creates, changes and describes consumer groups for callers. Any thread.</summary>
internal sealed class GroupService(BrokerCalls calls)
{
    public async ValueTask<(GroupView? Group, BrokerFailure? Failure)> FindOrCreateAsync(
        string name, CancellationToken cancellationToken)
    {
        if (Names.CheckGroup(name) is { } violation)
        {
            return (null, BrokerFailure.Of(violation));
        }

        if (calls.Machine.Groups.Find(name) is { } known)
        {
            return (known, null);
        }

        // Only the leader knows for sure that the group does not exist.
        if (calls.CheckServing() is { } notServing)
        {
            return (null, notServing);
        }

        if (!calls.Options.AutoCreateGroups)
        {
            return (null, NotFound(name));
        }

        var command = CommandOf(new GroupSpec { Name = name }, UpsertMode.Ensure);
        var failure = await calls.ProposeAsync(RecordKind.GroupUpsert, command.Encode(), cancellationToken);
        return failure is null && calls.Machine.Groups.Find(name) is { } created
            ? (created, null)
            : (null, failure ?? NotFound(name));
    }

    public ValueTask<BrokerFailure?> CreateAsync(GroupSpec spec, CancellationToken cancellationToken) =>
        UpsertAsync(CommandOf(spec, UpsertMode.Create), GroupRules.Check(spec), cancellationToken);

    // Who chooses a policy begins anew: whether the filters are mixed is found out again with the next receives.
    public ValueTask<BrokerFailure?> UpdateAsync(GroupChange change, CancellationToken cancellationToken) => UpsertAsync(
        new GroupUpsertCommand(
            UpsertMode.Update,
            change.Name,
            false,
            default,
            GroupSettingsCodec.Encode(change.Mismatch is null ? change : change with { HasMixedFilters = false })),
        GroupRules.Check(GroupSettingsCodec.Apply(GroupSettings.Default, GroupSettingsCodec.Encode(change))),
        cancellationToken);

    public ValueTask<BrokerFailure?> PauseAsync(
        string name, string reason, TimeSpan duration, CancellationToken cancellationToken) => SetPauseAsync(
        new GroupPauseCommand(true, duration.Ticks / TimeSpan.TicksPerMicrosecond, name, reason),
        GroupRules.CheckPause(reason, duration),
        cancellationToken);

    public ValueTask<BrokerFailure?> ResumeAsync(string name, CancellationToken cancellationToken) =>
        SetPauseAsync(new GroupPauseCommand(false, 0, name, ""), null, cancellationToken);

    public async ValueTask<BrokerFailure?> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        if (Names.CheckGroup(name) is { } violation)
        {
            return BrokerFailure.Of(violation);
        }

        return calls.CheckServing()
            ?? await calls.ProposeAsync(RecordKind.GroupDelete, new NameCommand(name).Encode(), cancellationToken);
    }

    public async ValueTask<(GroupDescription? Group, BrokerFailure? Failure)> DescribeAsync(
        string name, CancellationToken cancellationToken)
    {
        var (group, failure) = await calls.LookAsync<(GroupDescription?, BrokerFailure?)>(
            state => state.Groups.Find(name) is { } group ? (Describe(group), null) : (null, Unknown(name)),
            static failure => (null, failure),
            cancellationToken);
        return (group is null ? null : group with { Members = MembersOf(group.Group.Id) }, failure);
    }

    internal static BrokerFailure NotFound(string name) => new(
        BrokerError.GroupNotFound, $"there is no consumer group '{name}', and groups are not created on use");

    private static BrokerFailure Unknown(string name) =>
        new(BrokerError.GroupNotFound, $"the consumer group '{name}' does not exist");

    private GroupMember[] MembersOf(int groupId) =>
    [
        .. calls.Machine.Topics.All
            .OrderBy(topic => topic.Name, StringComparer.Ordinal)
            .SelectMany(topic =>
            {
                var members = calls.Machine.Filters.Members(groupId, topic.Id);
                var differ = members.Select(member => member.Filter.Text).Distinct(StringComparer.Ordinal).Skip(1).Any();
                return members.Select(member => new GroupMember(member.ClientId, topic.Name, member.Filter.Text, differ));
            }),
    ];

    private static GroupDescription Describe(GroupState group) => new(
        group.View,
        [.. group.Subscriptions.Values.SelectMany(subscription => subscription.Cursors.Select(Describe))])
    {
        RepeatCount = group.Processed.RepeatCount,
        ProcessedCount = group.Processed.Count,
    };

    private static GroupQueueDescription Describe(QueueCursor cursor)
    {
        var topic = cursor.Subscription.Topic;
        var max = topic.Queues[cursor.QueueId].Max;
        return new GroupQueueDescription(
            topic.View.Name,
            cursor.QueueId,
            new QueueOffset(cursor.Commit),
            new QueueOffset(max),
            cursor.LeasedCount,
            cursor.WaitingCount,
            max - cursor.Commit - cursor.DoneCount + cursor.AsideCount);
    }

    private async ValueTask<BrokerFailure?> SetPauseAsync(
        GroupPauseCommand command, Violation? broken, CancellationToken cancellationToken)
    {
        if ((Names.CheckGroup(command.Name) ?? broken) is { } violation)
        {
            return BrokerFailure.Of(violation);
        }

        return calls.CheckServing()
            ?? await calls.ProposeAsync(RecordKind.GroupPause, command.Encode(), cancellationToken);
    }

    private async ValueTask<BrokerFailure?> UpsertAsync(
        GroupUpsertCommand command, Violation? broken, CancellationToken cancellationToken)
    {
        if ((Names.CheckGroup(command.Name) ?? broken) is { } violation)
        {
            return BrokerFailure.Of(violation);
        }

        return calls.CheckServing()
            ?? await calls.ProposeAsync(RecordKind.GroupUpsert, command.Encode(), cancellationToken);
    }

    private GroupUpsertCommand CommandOf(GroupSpec spec, UpsertMode mode) => new(
        mode, spec.Name, spec.Fifo, spec.Start ?? calls.Options.NewGroupStart, GroupSettingsCodec.Encode(spec.Settings));
}
