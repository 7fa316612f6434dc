using Dledger.Broker.Commands;
using Dledger.Broker.Naming;
using Dledger.Primitives;

namespace Dledger.Broker.Groups;

/// <summary>
/// All consumer groups. Replicated state, owned by the apply loop; <see cref="Directory"/> is for any thread.
/// </summary>
internal sealed class GroupTable
{
    private readonly SortedDictionary<int, GroupState> _byId = [];
    private readonly Dictionary<string, GroupState> _byName = new(StringComparer.Ordinal);
    private readonly SortedSet<(long Until, int GroupId)> _pauseEnds = [];
    private volatile GroupDirectory _directory = GroupDirectory.Empty;

    /// <summary>The id that the next group gets; ids are never used twice.</summary>
    public int NextId { get; private set; } = 1;

    /// <summary>The newest published snapshot.</summary>
    public GroupDirectory Directory => _directory;

    /// <summary>By ascending id.</summary>
    public IReadOnlyCollection<GroupState> All => _byId.Values;

    /// <summary>Whether any broadcast group has members.</summary>
    public bool HasMembers => _byId.Count > _byName.Count;

    public GroupState? Find(int id) => _byId.GetValueOrDefault(id);

    public GroupState? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Creates or changes a group. Null on success.</summary>
    public BrokerFailure? Upsert(GroupUpsertCommand command, long logTime)
    {
        if (Find(command.Name) is not { } group)
        {
            if (command.Mode == UpsertMode.Update)
            {
                return new BrokerFailure(BrokerError.GroupNotFound, $"there is no consumer group '{command.Name}'");
            }

            var settings = GroupSettingsCodec.Apply(GroupSettings.Default, command.Settings);
            if (CheckDedup(null, settings) is { } refused)
            {
                return refused;
            }

            Restore(new GroupView(NextId, command.Name, command.Fifo, command.Start, logTime, settings));
            NextId++;
            Publish();
            return null;
        }

        switch (command.Mode)
        {
            case UpsertMode.Create:
                return new BrokerFailure(
                    BrokerError.AlreadyExists, $"the consumer group '{command.Name}' exists already");
            case UpsertMode.Update:
                return Update(group, GroupSettingsCodec.Apply(group.View.Settings, command.Settings), logTime);
            default:
                return null;
        }
    }

    /// <summary>Log time at which the next pause ends, or long.MaxValue.</summary>
    public long NextPauseEnd => _pauseEnds.Count == 0 ? long.MaxValue : _pauseEnds.Min.Until;

    /// <summary>Pauses or resumes a group. Null when there is none.</summary>
    public GroupState? Pause(GroupPauseCommand command, long logTime)
    {
        if (Find(command.Name) is not { } group)
        {
            return null;
        }

        var until = command.Microseconds == 0 ? long.MaxValue : logTime + command.Microseconds;
        var pause = command.IsPaused ? new GroupPause(command.Reason, logTime, until) : null;
        SetPause(group, pause);
        Publish();
        foreach (var member in group.Members.Values)
        {
            SetPause(member, pause);
            Publish(member);
        }

        return group;
    }

    /// <summary>Ends the pauses that are over; the groups that they were of.</summary>
    public IReadOnlyList<GroupState> EndPauses(long logTime)
    {
        if (NextPauseEnd > logTime)
        {
            return [];
        }

        var ended = new List<GroupState>();
        while (NextPauseEnd <= logTime)
        {
            var group = _byId[_pauseEnds.Min.GroupId];
            SetPause(group, null);
            ended.Add(group);
            if (group.Owner is not null)
            {
                Publish(group);
            }
        }

        Publish();
        return ended;
    }

    /// <summary>
    /// The member group of a client of a broadcast group, made when there is none. A failure when the group is gone, is no broadcast group
    /// or has all the members that it may have.
    /// </summary>
    public (GroupState? Member, BrokerFailure? Failure) Join(BroadcastJoinCommand command, long logTime)
    {
        if (Find(command.GroupId) is not { View.Settings.Broadcast: true } owner)
        {
            return (null, new BrokerFailure(BrokerError.GroupNotFound, "the consumer group was deleted"));
        }

        if (owner.Members.TryGetValue(command.ClientId, out var known))
        {
            known.UsedAt = logTime;
            return (known, null);
        }

        if (owner.Members.Count >= command.MembersMax)
        {
            return (null, new BrokerFailure(
                BrokerError.Busy,
                $"the broadcast group '{owner.View.Name}' has {owner.Members.Count} members, {command.MembersMax} are allowed: "
                    + "a place becomes free when a client says goodbye or was silent for long"));
        }

        var view = owner.View with
        {
            Id = NextId,
            CreatedAtMicroseconds = logTime,
            Member = new Membership(owner.View.Id, command.ClientId),
        };
        NextId++;
        return (Restore(view, logTime), null);
    }

    /// <summary>Forgets a member group.</summary>
    public void Remove(GroupState member)
    {
        Invariant.Check(member.Owner is not null, $"group {member.View.Id} is a member");
        member.Owner.Members.Remove(member.View.Member!.Value.ClientId);
        _byId.Remove(member.View.Id);
        SetPause(member, null);
        _directory = _directory.WithoutMember(member.View);
    }

    /// <summary>Forgets a group. Null when there is none. Its members are removed before.</summary>
    public GroupState? Remove(string name)
    {
        if (!_byName.Remove(name, out var group))
        {
            return null;
        }

        Invariant.Check(group.Members.Count == 0, $"group '{name}' has no members any more");

        _byId.Remove(group.View.Id);
        SetPause(group, null);
        Publish();
        return group;
    }

    /// <summary>Puts a group in place.</summary>
    public GroupState Restore(GroupView view, long usedAt = 0)
    {
        var owner = view.Member is { } member ? _byId[member.GroupId] : null;
        var group = new GroupState(view) { Owner = owner, UsedAt = usedAt };
        _byId.Add(view.Id, group);
        if (owner is null)
        {
            _byName.Add(view.Name, group);
        }
        else
        {
            owner.Members.Add(view.Member!.Value.ClientId, group);
            Publish(group);
        }

        SetPause(group, view.Pause);
        return group;
    }

    /// <summary>Ends a restore.</summary>
    public void RestoreNextId(int nextId)
    {
        Invariant.Check(_byId.Count == 0 || nextId > _byId.Keys.Max(), $"the next group id {nextId} is unused");
        NextId = nextId;
        Publish();
    }

    private BrokerFailure? Update(GroupState group, GroupSettings settings, long logTime)
    {
        if (CheckDedup(group, settings) is { } refused)
        {
            return refused;
        }

        if (settings.Dedup.HasOtherKeys(group.View.Settings.Dedup))
        {
            group.Processed.Forget();
            group.Processed.FreeAll(static _ => true);
        }

        group.View = group.View with { Settings = settings };
        group.Processed.Expire(settings.Dedup, logTime);
        Publish();
        foreach (var member in group.Members.Values)
        {
            member.View = member.View with { Settings = settings };
            Publish(member);
        }

        return null;
    }

    // What all groups may remember has a bound, so that no number of groups fills the memory of the nodes.
    private BrokerFailure? CheckDedup(GroupState? group, GroupSettings settings)
    {
        if (!settings.Dedup.IsOn)
        {
            return null;
        }

        var others = _byId.Values
            .Where(other => !ReferenceEquals(other, group) && other.View.Settings.Dedup.IsOn)
            .Sum(other => other.View.Settings.Dedup.CountMax);
        return others + settings.Dedup.CountMax > Limits.DedupTotalMax
            ? new BrokerFailure(
                BrokerError.InvalidArgument,
                $"a group is to remember {settings.Dedup.CountMax} processed keys; all groups may remember {Limits.DedupTotalMax} together, "
                + $"and the others take {others}",
                Rule: BrokenRule.Dedup)
            : null;
    }

    private void SetPause(GroupState group, GroupPause? pause)
    {
        if (group.Pause is { } before)
        {
            _pauseEnds.Remove((before.UntilMicroseconds, group.View.Id));
        }

        group.View = group.View with { Pause = pause };
        if (pause is { UntilMicroseconds: < long.MaxValue })
        {
            _pauseEnds.Add((pause.UntilMicroseconds, group.View.Id));
        }
    }

    private void Publish() => _directory = _directory.With(_byName.Values.Select(group => group.View));

    private void Publish(GroupState member) => _directory = _directory.WithMember(member.View);
}
