using Dledger.Broker.Naming;
using Dledger.Primitives;

namespace Dledger.Broker.Idempotence;

/// <summary>All producers that number their messages. Replicated state, owned by the apply loop.</summary>
/// <remarks>
/// At most <see cref="Limits.ProducerCountMax"/> of them and <see cref="Limits.SequenceCountMax"/> pairs of producer and topic, each
/// with about 600 bytes; above that the one that was unused for longest is forgotten. A forgotten producer is told so when it sends.
/// </remarks>
internal sealed class ProducerTable
{
    private readonly Dictionary<long, LinkedListNode<ProducerState>> _byId = [];
    private readonly Dictionary<string, ProducerState> _byName = new(StringComparer.Ordinal);
    private readonly LinkedList<ProducerState> _byUse = [];
    private int _sequenceCount;

    public int Count => _byId.Count;

    /// <summary>Unused for longest first: an order that is part of the state.</summary>
    public IReadOnlyCollection<ProducerState> All => _byUse;

    /// <summary>Makes a producer, or gives a named one its next epoch.</summary>
    public ProducerState Init(string name, long expiryMicroseconds, LogPosition position, long logTime)
    {
        while (_byUse.First is { } oldest && IsExpired(oldest.Value, logTime))
        {
            Forget(oldest.Value);
        }

        if (name.Length > 0 && _byName.TryGetValue(name, out var known))
        {
            if (!IsExpired(known, logTime) && known.Epoch < Limits.ProducerEpochMax)
            {
                known.Epoch++;
                known.ExpiryMicroseconds = expiryMicroseconds;
                _sequenceCount -= known.Topics.Count;
                known.Topics.Clear();
                Use(known, logTime);
                return known;
            }

            Forget(known);
        }

        while (_byId.Count >= Limits.ProducerCountMax)
        {
            Forget(_byUse.First!.Value);
        }

        var producer = new ProducerState(position.Value, name, 0) { ExpiryMicroseconds = expiryMicroseconds, UsedAt = logTime };
        Restore(producer);
        return producer;
    }

    /// <summary>The producer, which counts as used; null when it was never made or is forgotten.</summary>
    public ProducerState? Find(long id, long logTime)
    {
        if (!_byId.TryGetValue(id, out var node))
        {
            return null;
        }

        if (IsExpired(node.Value, logTime))
        {
            Forget(node.Value);
            return null;
        }

        return node.Value;
    }

    /// <summary>Notes that a producer did something.</summary>
    public void Use(ProducerState producer, long logTime)
    {
        producer.UsedAt = logTime;
        var node = _byId[producer.Id];
        _byUse.Remove(node);
        _byUse.AddLast(node);
    }

    /// <summary>How far a producer has come in a topic; null when it uses as many topics as it may.</summary>
    public TopicSequence? SequenceOf(ProducerState producer, int topicId)
    {
        if (producer.Topics.TryGetValue(topicId, out var known))
        {
            return known;
        }

        if (producer.Topics.Count >= Limits.ProducerTopicCountMax)
        {
            return null;
        }

        while (_sequenceCount >= Limits.SequenceCountMax && !ReferenceEquals(_byUse.First!.Value, producer))
        {
            Forget(_byUse.First.Value);
        }

        var sequence = new TopicSequence(topicId);
        producer.Topics.Add(topicId, sequence);
        _sequenceCount++;
        return sequence;
    }

    /// <summary>A topic is gone, and with it all sequences in it.</summary>
    public void ForgetTopic(int topicId)
    {
        foreach (var producer in _byUse)
        {
            _sequenceCount -= producer.Topics.Remove(topicId) ? 1 : 0;
        }
    }

    /// <summary>Puts the next producer of a checkpoint in place, in the order of <see cref="All"/>.</summary>
    public void Restore(ProducerState producer)
    {
        _byId.Add(producer.Id, _byUse.AddLast(producer));
        _sequenceCount += producer.Topics.Count;
        if (producer.Name.Length > 0)
        {
            _byName.Add(producer.Name, producer);
        }
    }

    private static bool IsExpired(ProducerState producer, long logTime) =>
        producer.UsedAt + producer.ExpiryMicroseconds <= logTime;

    private void Forget(ProducerState producer)
    {
        _byId.Remove(producer.Id, out var node);
        _byUse.Remove(node!);
        _sequenceCount -= producer.Topics.Count;
        if (producer.Name.Length > 0)
        {
            _byName.Remove(producer.Name);
        }
    }
}
