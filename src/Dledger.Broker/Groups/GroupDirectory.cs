using System.Collections.Frozen;

namespace Dledger.Broker.Groups;

/// <summary>All groups at one applied position, for readers on any thread. Immutable.</summary>
internal sealed class GroupDirectory
{
    public static readonly GroupDirectory Empty = new([]);

    private readonly FrozenDictionary<string, GroupView> _byName;

    public GroupDirectory(IEnumerable<GroupView> groups)
    {
        All = [.. groups.OrderBy(group => group.Name, StringComparer.Ordinal)];
        _byName = All.ToFrozenDictionary(group => group.Name, StringComparer.Ordinal);
    }

    /// <summary>By name, ordinal.</summary>
    public IReadOnlyList<GroupView> All { get; }

    public GroupView? Find(string name) => _byName.GetValueOrDefault(name);
}
