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

    /// <summary>The group that a client is given messages of: of a broadcast group its own part, made at its first receive.</summary>
    public async ValueTask<(GroupView? Group, BrokerFailure? Failure)> JoinAsync(
        GroupView group, string clientId, CancellationToken cancellationToken)
    {
        if (!group.Settings.Broadcast)
        {
            return (group, null);
        }

        if (BroadcastRules.CheckClient(clientId) is { } violation)
        {
            return (null, BrokerFailure.Of(violation));
        }

        if (calls.Machine.Groups.FindMember(group.Id, clientId) is { } known)
        {
            return (known, null);
        }

        var command = new BroadcastJoinCommand(group.Id, clientId, calls.Options.BroadcastMembersMax, []);
        var failure = await calls.ProposeAsync(RecordKind.BroadcastJoin, command.Encode(), cancellationToken);
        return failure is null && calls.Machine.Groups.FindMember(group.Id, clientId) is { } joined
            ? (joined, null)
            : (null, failure ?? new BrokerFailure(BrokerError.Busy, "the membership of this client ended meanwhile; ask again"));
    }

    public ValueTask<BrokerFailure?> CreateAsync(GroupSpec spec, CancellationToken cancellationToken) =>
        UpsertAsync(CommandOf(spec, UpsertMode.Create), GroupRules.Check(spec), cancellationToken);

    // Who chooses a policy begins anew: whether the filters are mixed is found out again with the next receives.
    public ValueTask<BrokerFailure?> UpdateAsync(GroupChange change, CancellationToken cancellationToken)
    {
        var broken = GroupRules.Check(
            GroupSettingsCodec.Apply(GroupSettings.Default, GroupSettingsCodec.Encode(change with { Broadcast = null })));
        if (broken is null && calls.Machine.Groups.Find(change.Name) is { } group)
        {
            broken = BroadcastRules.CheckChange(group, change);
        }

        var settings = change with { Broadcast = null, HasMixedFilters = change.Mismatch is null ? change.HasMixedFilters : false };
        return UpsertAsync(
            new GroupUpsertCommand(UpsertMode.Update, change.Name, false, default, GroupSettingsCodec.Encode(settings)),
            broken,
            cancellationToken);
    }

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
        return (group is null ? null : group with { Members = MembersOf(group) }, failure);
    }

    internal static BrokerFailure NotFound(string name) => new(
        BrokerError.GroupNotFound, $"there is no consumer group '{name}', and groups are not created on use");

    private static BrokerFailure Unknown(string name) =>
        new(BrokerError.GroupNotFound, $"the consumer group '{name}' does not exist");

    // In a broadcast group everybody may ask with a filter of his own.
    private GroupMember[] MembersOf(GroupDescription group) =>
    [
        .. calls.Machine.Topics.All
            .OrderBy(topic => topic.Name, StringComparer.Ordinal)
            .SelectMany(topic =>
            {
                if (group.Group.Settings.Broadcast)
                {
                    return group.Broadcast.SelectMany(member => calls.Machine.Filters.Members(member.GroupId, topic.Id))
                        .Select(member => new GroupMember(member.ClientId, topic.Name, member.Filter.Text, Differs: false));
                }

                var members = calls.Machine.Filters.Members(group.Group.Id, topic.Id);
                var differ = members.Select(member => member.Filter.Text).Distinct(StringComparer.Ordinal).Skip(1).Any();
                return members.Select(member => new GroupMember(member.ClientId, topic.Name, member.Filter.Text, differ));
            }),
    ];

    private static GroupDescription Describe(GroupState group) => new(group.View, QueuesOf(group))
    {
        Broadcast =
        [
            .. group.Members.Values.Select(member => new BroadcastMember(
                member.View.Id,
                member.View.Member!.Value.ClientId,
                member.View.CreatedAtMicroseconds,
                member.UsedAt,
                QueuesOf(member))),
        ],
        RepeatCount = group.Processed.RepeatCount,
        ProcessedCount = group.Processed.Count,
    };

    private static GroupQueueDescription[] QueuesOf(GroupState group) =>
        [.. group.Subscriptions.Values.SelectMany(subscription => subscription.Cursors.Select(Describe))];

    private static GroupQueueDescription Describe(QueueCursor cursor)
    {
        var topic = cursor.Subscription.Topic;
        return new GroupQueueDescription(
            topic.View.Name,
            cursor.QueueId,
            new QueueOffset(cursor.Commit),
            new QueueOffset(topic.Queues[cursor.QueueId].Max),
            cursor.LeasedCount,
            cursor.WaitingCount,
            cursor.Lag);
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
        mode,
        spec.Name,
        spec.Fifo,
        spec.Start ?? (spec.Settings.Broadcast ? GroupStart.Latest : calls.Options.NewGroupStart),
        GroupSettingsCodec.Encode(spec.Settings));
}
