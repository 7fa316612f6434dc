using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Dledger.Broker.Groups;

/// <summary>All groups at one applied position, for readers on any thread. Immutable.</summary>
internal sealed class GroupDirectory
{
    public static readonly GroupDirectory Empty = new([]);

    private readonly FrozenDictionary<string, GroupView> _byName;

    // Members come and go often: a change of them does not build the rest anew.
    private readonly ImmutableDictionary<int, GroupView> _members;
    private readonly ImmutableDictionary<Membership, GroupView> _byClient;

    public GroupDirectory(IEnumerable<GroupView> groups)
        : this([.. groups.OrderBy(group => group.Name, StringComparer.Ordinal)], null, [], [])
    {
    }

    private GroupDirectory(
        IReadOnlyList<GroupView> all,
        FrozenDictionary<string, GroupView>? byName,
        ImmutableDictionary<int, GroupView> members,
        ImmutableDictionary<Membership, GroupView> byClient)
    {
        All = all;
        _byName = byName ?? all.ToFrozenDictionary(group => group.Name, StringComparer.Ordinal);
        _members = members;
        _byClient = byClient;
    }

    /// <summary>By name, ordinal; without member groups, which have none.</summary>
    public IReadOnlyList<GroupView> All { get; }

    public GroupView? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The member group of a client of a broadcast group.</summary>
    public GroupView? FindMember(int groupId, string clientId) => _byClient.GetValueOrDefault(new Membership(groupId, clientId));

    /// <summary>The broadcast group that a member group belongs to; 0 for what is no member group.</summary>
    public int OwnerOf(int memberId) => _members.GetValueOrDefault(memberId)?.Member?.GroupId ?? 0;

    /// <summary>The same with other groups and the same members.</summary>
    public GroupDirectory With(IEnumerable<GroupView> groups) =>
        new([.. groups.OrderBy(group => group.Name, StringComparer.Ordinal)], null, _members, _byClient);

    /// <summary>The same with a member group, new or changed.</summary>
    public GroupDirectory WithMember(GroupView member) => new(
        All, _byName, _members.SetItem(member.Id, member), _byClient.SetItem(member.Member!.Value, member));

    /// <summary>The same without a member group.</summary>
    public GroupDirectory WithoutMember(GroupView member) => new(
        All, _byName, _members.Remove(member.Id), _byClient.Remove(member.Member!.Value));
}
