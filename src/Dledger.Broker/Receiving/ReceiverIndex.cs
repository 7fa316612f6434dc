using System.Runtime.CompilerServices;

namespace Dledger.Broker.Receiving;

/// <summary>
/// Which group has receivers on which topic, and which of these are to be looked at when the frame is through. Volatile, owned by the
/// apply loop.
/// </summary>
internal sealed class ReceiverIndex
{
    // Sorted: in which order receives are served must not depend on hash codes.
    private readonly SortedDictionary<(int TopicId, int GroupId), Receivers> _byPair = [];
    private readonly Dictionary<int, List<Receivers>> _byTopic = [];
    private readonly List<Receivers> _dirty = [];
    private readonly StrongBox<int> _parkedCount = new();

    /// <summary>Parked operations, finished ones that were not swept yet included.</summary>
    public int ParkedCount => _parkedCount.Value;

    /// <summary>Those of a group on a topic; they are made when there are none.</summary>
    public Receivers Of(int topicId, int groupId)
    {
        if (_byPair.TryGetValue((topicId, groupId), out var receivers))
        {
            return receivers;
        }

        receivers = new Receivers(groupId, topicId, _parkedCount);
        _byPair.Add((topicId, groupId), receivers);
        if (!_byTopic.TryGetValue(topicId, out var list))
        {
            list = [];
            _byTopic.Add(topicId, list);
        }

        list.Add(receivers);
        return receivers;
    }

    /// <summary>Whether these are still those of their group and topic: what was promised for older ones is void.</summary>
    public bool IsCurrent(Receivers receivers) =>
        _byPair.TryGetValue((receivers.TopicId, receivers.GroupId), out var current) && ReferenceEquals(current, receivers);

    /// <summary>There may be work for receives of it.</summary>
    public void Mark(Receivers receivers)
    {
        if (!receivers.IsDirty)
        {
            receivers.IsDirty = true;
            _dirty.Add(receivers);
        }
    }

    /// <summary>The same for those of a pair, if there are any.</summary>
    public void Mark(int topicId, int groupId)
    {
        if (_byPair.TryGetValue((topicId, groupId), out var receivers))
        {
            Mark(receivers);
        }
    }

    /// <summary>The same for all groups of a topic.</summary>
    public void MarkTopic(int topicId)
    {
        if (_byTopic.TryGetValue(topicId, out var list))
        {
            foreach (var receivers in list)
            {
                Mark(receivers);
            }
        }
    }

    /// <summary>The same for a group on all of its topics.</summary>
    public void MarkGroup(int groupId)
    {
        foreach (var receivers in _byPair.Values)
        {
            if (receivers.GroupId == groupId)
            {
                Mark(receivers);
            }
        }
    }

    /// <summary>A key is free, perhaps, for which a message of another topic waits.</summary>
    public void MarkKeysFreed(int groupId)
    {
        foreach (var receivers in _byPair.Values)
        {
            if (receivers.GroupId == groupId && !receivers.Held.IsEmpty)
            {
                Mark(receivers);
            }
        }
    }

    /// <summary>The group, or a client of it, may have fewer messages in flight than before.</summary>
    public void MarkHeldBack(int groupId)
    {
        foreach (var receivers in _byPair.Values)
        {
            if (receivers.IsHeldBack && receivers.GroupId == groupId)
            {
                receivers.IsHeldBack = false;
                Mark(receivers);
            }
        }
    }

    /// <summary>Quotas that were used up may have filled again.</summary>
    public void MarkOverQuota()
    {
        foreach (var receivers in _byPair.Values)
        {
            if (receivers.IsOverQuota)
            {
                receivers.IsOverQuota = false;
                Mark(receivers);
            }
        }
    }

    /// <summary>Hands out all that are marked, also those that are marked on the way.</summary>
    public void TakeMarked(Action<Receivers> take)
    {
        for (var i = 0; i < _dirty.Count; i++)
        {
            _dirty[i].IsDirty = false;
            take(_dirty[i]);
        }

        _dirty.Clear();
    }

    /// <summary>Ends those whose topic or group is gone.</summary>
    public void Remove(Func<Receivers, bool> isGone, BrokerFailure failure)
    {
        foreach (var receivers in _byPair.Values.Where(isGone).ToList())
        {
            receivers.EndAll(failure);
            _byPair.Remove((receivers.TopicId, receivers.GroupId));
            _byTopic[receivers.TopicId].Remove(receivers);
        }
    }

    /// <summary>Ends all.</summary>
    public void Clear(BrokerFailure failure)
    {
        foreach (var receivers in _byPair.Values)
        {
            receivers.EndAll(failure);
        }

        _byPair.Clear();
        _byTopic.Clear();
        _dirty.Clear();
    }
}
