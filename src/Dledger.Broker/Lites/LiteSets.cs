using System.Collections.Concurrent;
using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;

namespace Dledger.Broker.Lites;

/// <summary>Which client asks for which lite topics. Soft state of the leader; any thread.</summary>
/// <remarks>
/// A new leader knows none: the nodes that clients talk to tell it the sets that they have heard of, and clients repeat theirs twice a
/// minute. Until then such a client is given nothing, and nothing is lost.
/// </remarks>
internal sealed class LiteSets(ClientRegistry clients)
{
    /// <summary>Clients above which those not alive are forgotten.</summary>
    private const int SweepAbove = 10_000;

    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<Key, LiteSet> _sets = new();
    private long _nameCount;
    private int _sweepAt = SweepAbove;

    /// <summary>This node begins to serve: what it knew is old.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            _sets.Clear();
            _nameCount = 0;
        }
    }

    /// <summary>The set of a client, empty until it is told.</summary>
    public LiteSet Of(int groupId, int topicId, string clientId)
    {
        if (_sets.Count > _sweepAt)
        {
            Sweep();
        }

        return _sets.GetOrAdd(new Key(groupId, topicId, clientId), static _ => new LiteSet());
    }

    /// <summary>Changes the set of a client; what is wrong when it may not be so.</summary>
    public BrokerFailure? Update(
        int groupId, int topicId, string clientId, int quota, Func<string[], string[]> change)
    {
        var set = Of(groupId, topicId, clientId);
        lock (_lock)
        {
            var names = change(set.Names);
            if (names.Length > quota && names.Length > set.Names.Length)
            {
                return BrokerFailure.Of(new Violation(
                    BrokenRule.LiteSubscriptionQuota,
                    $"the client would have {names.Length} lite topics; the group allows {quota} for each client"));
            }

            if (_nameCount - set.Names.Length + names.Length > Limits.LiteSubscriptionsMax)
            {
                return new BrokerFailure(
                    BrokerError.Busy,
                    $"all clients together have {_nameCount} lite topics; the limit is {Limits.LiteSubscriptionsMax}");
            }

            _nameCount += names.Length - set.Names.Length;
            set.Replace(names);
            return null;
        }
    }

    /// <summary>Names of one topic that living clients have in their sets.</summary>
    public HashSet<string> Wanted(int topicId)
    {
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, set) in _sets)
        {
            if (key.TopicId == topicId && clients.IsAlive(IdentityHash.OfClient(key.ClientId)))
            {
                wanted.UnionWith(set.Names);
            }
        }

        return wanted;
    }

    /// <summary>Whether a living client of a group has a name in its set.</summary>
    public bool IsWanted(int groupId, int topicId, string name) => _sets.Any(pair =>
        pair.Key.GroupId == groupId
        && pair.Key.TopicId == topicId
        && pair.Value.Names.Contains(name, StringComparer.Ordinal)
        && clients.IsAlive(IdentityHash.OfClient(pair.Key.ClientId)));

    /// <summary>Living clients that have a name of a topic in their sets.</summary>
    public IReadOnlyList<string> Askers(int topicId, string name, Func<int, bool> isGroup) =>
    [
        .. _sets
            .Where(pair => pair.Key.TopicId == topicId
                && pair.Value.Names.Contains(name, StringComparer.Ordinal)
                && clients.IsAlive(IdentityHash.OfClient(pair.Key.ClientId))
                && isGroup(pair.Key.GroupId))
            .Select(pair => pair.Key.ClientId),
    ];

    private void Sweep()
    {
        lock (_lock)
        {
            foreach (var (key, set) in _sets)
            {
                if (!clients.IsAlive(IdentityHash.OfClient(key.ClientId)) && _sets.TryRemove(key, out _))
                {
                    _nameCount -= set.Names.Length;
                }
            }

            _sweepAt = Math.Max(SweepAbove, _sets.Count * 2);
        }
    }

    private readonly record struct Key(int GroupId, int TopicId, string ClientId);
}
