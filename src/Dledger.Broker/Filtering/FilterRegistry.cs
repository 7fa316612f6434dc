using System.Collections.Concurrent;
using Dledger.Broker.Groups;
using Dledger.Broker.Receiving;

namespace Dledger.Broker.Filtering;

/// <summary>Who asks with which filter. Soft state of the leader; any thread.</summary>
internal sealed class FilterRegistry(TimeProvider time, ClientRegistry clients)
{
    /// <summary>Pairs of group and topic above which those without a living client are forgotten.</summary>
    private const int SweepAbove = 10_000;

    private readonly ConcurrentDictionary<(int GroupId, int TopicId), GroupFilters> _pairs = new();
    private long _ledSince = long.MinValue;

    /// <summary>This node began to serve: it has heard of nobody yet.</summary>
    public void Begin() => Volatile.Write(ref _ledSince, time.GetTimestamp());

    /// <summary>The filters of a group on a topic.</summary>
    public GroupFilters Of(int groupId, int topicId)
    {
        if (_pairs.Count > SweepAbove)
        {
            foreach (var (pair, filters) in _pairs)
            {
                if (filters.Clients(clients.IsAlive).Count == 0)
                {
                    _pairs.TryRemove(pair, out _);
                }
            }
        }

        return _pairs.GetOrAdd((groupId, topicId), _ => new GroupFilters(time));
    }

    /// <summary>Notes what a client asks with; the filters of all living ones.</summary>
    public FilterSet Note(GroupFilters filters, GroupView group, string clientId, MessageFilter filter) => filters.Update(
        new ClientFilter(clientId, IdentityHash.OfClient(clientId), filter),
        mayLack: group.Settings.HasMixedFilters && IsNew,
        clients.IsAlive);

    /// <summary>A living client of the group that asks with another filter; null when there is none.</summary>
    public ClientFilter? FindDiffering(GroupFilters filters, string clientId, MessageFilter filter) =>
        filters.FindDiffering(clientId, filter, clients.IsAlive);

    /// <summary>Living clients of a group on a topic, by client id.</summary>
    public IReadOnlyList<ClientFilter> Members(int groupId, int topicId) =>
        _pairs.TryGetValue((groupId, topicId), out var filters) ? filters.Clients(clients.IsAlive) : [];

    /// <summary>For so long a client that lives may not have been heard by this leader.</summary>
    private bool IsNew => time.GetElapsedTime(Volatile.Read(ref _ledSince)) <= ClientRegistry.AliveFor;
}
