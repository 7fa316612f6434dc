using System.Collections.Frozen;

namespace Dledger.Broker.Topics;

/// <summary>All topics at one applied position, for readers on any thread. Immutable.</summary>
internal sealed class TopicDirectory
{
    public static readonly TopicDirectory Empty = new([]);

    private readonly FrozenDictionary<string, TopicView> _byName;
    private readonly Dictionary<int, TopicView> _byId;

    public TopicDirectory(IEnumerable<TopicView> topics)
    {
        All = [.. topics.OrderBy(topic => topic.Name, StringComparer.Ordinal)];
        _byName = All.ToFrozenDictionary(topic => topic.Name, StringComparer.Ordinal);
        _byId = All.ToDictionary(topic => topic.Id);
    }

    /// <summary>By name, ordinal.</summary>
    public IReadOnlyList<TopicView> All { get; }

    public TopicView? Find(string name) => _byName.GetValueOrDefault(name);

    public TopicView? Find(int id) => _byId.GetValueOrDefault(id);
}
