namespace Dledger.Frontend.Messaging.Transactions;

/// <summary>The producers whose streams this node has, by the topics they send to. Safe for any thread.</summary>
/// <remarks>Bounded by the open streams, and by <see cref="TopicsPerProducerMax"/> for each.</remarks>
internal sealed class ProducerRegistry
{
    /// <summary>Topics above it are not remembered: no producer of good will has so many.</summary>
    public const int TopicsPerProducerMax = 1_024;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<IProducerStream>> _byTopic = new(StringComparer.Ordinal);
    private readonly Dictionary<IProducerStream, HashSet<string>> _topicsByStream = [];
    private readonly Dictionary<string, List<IProducerStream>> _byClient = new(StringComparer.Ordinal);
    private TaskCompletionSource _changed = NewSignal();

    /// <summary>Completes when <see cref="Topics"/> changes. To be taken before that is looked at.</summary>
    public Task Changed
    {
        get
        {
            lock (_lock)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>How many producers each topic has here.</summary>
    public IReadOnlyDictionary<string, int> Topics
    {
        get
        {
            lock (_lock)
            {
                return _byTopic.ToDictionary(entry => entry.Key, entry => entry.Value.Count, StringComparer.Ordinal);
            }
        }
    }

    /// <summary>A producer told its settings, for the first time or again.</summary>
    public void Settings(IProducerStream stream, IEnumerable<string> topics)
    {
        lock (_lock)
        {
            if (_topicsByStream.TryAdd(stream, new HashSet<string>(StringComparer.Ordinal)))
            {
                Add(_byClient, stream.ClientId, stream);
            }

            foreach (var topic in topics)
            {
                AddTopic(stream, topic);
            }
        }
    }

    /// <summary>A client sent a transactional message to a topic that its settings may not name.</summary>
    public void Sent(string clientId, string topic)
    {
        lock (_lock)
        {
            foreach (var stream in _byClient.GetValueOrDefault(clientId) ?? [])
            {
                AddTopic(stream, topic);
            }
        }
    }

    /// <summary>A stream has ended.</summary>
    public void Remove(IProducerStream stream)
    {
        lock (_lock)
        {
            if (!_topicsByStream.Remove(stream, out var topics))
            {
                return;
            }

            Remove(_byClient, stream.ClientId, stream);
            foreach (var topic in topics)
            {
                Remove(_byTopic, topic, stream);
            }

            Signal();
        }
    }

    /// <summary>The producers of a topic, in the order in which they came.</summary>
    public IReadOnlyList<IProducerStream> Find(string topic)
    {
        lock (_lock)
        {
            return _byTopic.TryGetValue(topic, out var streams) ? [.. streams] : [];
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void Add(Dictionary<string, List<IProducerStream>> map, string key, IProducerStream stream)
    {
        if (!map.TryGetValue(key, out var streams))
        {
            map.Add(key, streams = []);
        }

        streams.Add(stream);
    }

    private static void Remove(Dictionary<string, List<IProducerStream>> map, string key, IProducerStream stream)
    {
        if (map.TryGetValue(key, out var streams) && streams.Remove(stream) && streams.Count == 0)
        {
            map.Remove(key);
        }
    }

    private void AddTopic(IProducerStream stream, string topic)
    {
        var topics = _topicsByStream[stream];
        if (topics.Count < TopicsPerProducerMax && topics.Add(topic))
        {
            Add(_byTopic, topic, stream);
            Signal();
        }
    }

    private void Signal()
    {
        var changed = _changed;
        _changed = NewSignal();
        changed.SetResult();
    }
}
