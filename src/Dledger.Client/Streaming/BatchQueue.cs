using Dledger.Client.Producing;

namespace Dledger.Client.Streaming;

/// <summary>Batches that wait to be sent, the last of which still take messages. Safe for any thread.</summary>
internal sealed class BatchQueue(StreamProducerOptions options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<OutgoingBatch> _waiting = new();
    private readonly Dictionary<BatchKey, OutgoingBatch> _open = [];
    private readonly Dictionary<string, StreamTopic> _topics = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _added = new(0, 1);
    private Exception? _closedBy;

    /// <summary>Puts a message into the batch that it belongs to, and tells which place it has there.</summary>
    public (OutgoingBatch Batch, int Index) Add(OutgoingMessage message, string messageId, long bornMicroseconds)
    {
        OutgoingBatch? batch;
        int index;
        lock (_lock)
        {
            ThrowIfClosed();
            var topic = TopicOf(message.Topic);
            var key = KeyOf(message, topic);
            if (!_open.TryGetValue(key, out batch) || batch.Records.Count > 0 && IsFull(batch, message))
            {
                batch = NewBatch(topic);
                _open[key] = batch;
                _waiting.AddLast(batch);
            }

            index = batch.Records.Count;
            batch.Add(message, messageId, bornMicroseconds);
        }

        Signal();
        return (batch, index);
    }

    /// <summary>Lets messages wait that are one batch.</summary>
    public OutgoingBatch Add(IReadOnlyList<OutgoingMessage> messages, long bornMicroseconds)
    {
        OutgoingBatch batch;
        lock (_lock)
        {
            ThrowIfClosed();
            batch = NewBatch(TopicOf(messages[0].Topic));
        }

        foreach (var message in messages)
        {
            batch.Add(message, message.MessageId ?? MessageIds.Next(), bornMicroseconds);
        }

        lock (_lock)
        {
            ThrowIfClosed();
            _waiting.AddLast(batch);
        }

        Signal();
        return batch;
    }

    /// <summary>The first batch that waits, which takes no more messages from now on; null when none does.</summary>
    public OutgoingBatch? TryTake()
    {
        lock (_lock)
        {
            if (_waiting.First is not { } node)
            {
                return null;
            }

            _waiting.Remove(node);
            foreach (var (key, open) in _open)
            {
                if (open == node.Value)
                {
                    _open.Remove(key);
                    break;
                }
            }

            return node.Value;
        }
    }

    /// <summary>Batches that have to be sent again go before all others, in their order.</summary>
    public void PutBack(IReadOnlyList<OutgoingBatch> batches)
    {
        lock (_lock)
        {
            for (var i = batches.Count - 1; i >= 0; i--)
            {
                _waiting.AddFirst(batches[i]);
            }
        }

        Signal();
    }

    /// <summary>Takes out batches that nobody wants to send any more.</summary>
    public IReadOnlyList<OutgoingBatch> TakeWhere(Predicate<OutgoingBatch> isMeant)
    {
        lock (_lock)
        {
            var taken = _waiting.Where(batch => isMeant(batch)).ToList();
            foreach (var batch in taken)
            {
                _waiting.Remove(batch);
            }

            foreach (var key in _open.Where(open => taken.Contains(open.Value)).Select(open => open.Key).ToList())
            {
                _open.Remove(key);
            }

            return taken;
        }
    }

    /// <summary>The producer begins anew: numbers that batches were given are void.</summary>
    public void ForgetNumbers()
    {
        lock (_lock)
        {
            foreach (var batch in _waiting)
            {
                batch.FirstSequence = 0;
            }

            foreach (var topic in _topics.Values)
            {
                topic.LastSequence = 0;
            }
        }
    }

    /// <summary>What is known of a topic.</summary>
    public StreamTopic Topic(string name)
    {
        lock (_lock)
        {
            return TopicOf(name);
        }
    }

    /// <summary>A new stream knows no topic yet.</summary>
    public void ForgetTopics()
    {
        lock (_lock)
        {
            foreach (var topic in _topics.Values)
            {
                topic.IsOpen = false;
            }
        }
    }

    /// <summary>Takes nothing more; everything that waits fails.</summary>
    public void Close(Exception reason)
    {
        List<OutgoingBatch> rest;
        lock (_lock)
        {
            _closedBy ??= reason;
            rest = [.. _waiting];
            _waiting.Clear();
            _open.Clear();
        }

        foreach (var batch in rest)
        {
            batch.Fail(reason);
        }

        Signal();
    }

    /// <summary>Ends when something was added since the last wait, or after a time.</summary>
    public Task WaitAsync(TimeSpan time, CancellationToken cancellationToken) => _added.WaitAsync(time, cancellationToken);

    public Task WaitAsync(CancellationToken cancellationToken) => _added.WaitAsync(cancellationToken);

    /// <summary>Lets a wait end.</summary>
    public void Signal()
    {
        try
        {
            if (_added.CurrentCount == 0)
            {
                _added.Release();
            }
        }
        catch (SemaphoreFullException)
        {
            // Somebody else did it a moment ago.
        }
    }

    private void ThrowIfClosed()
    {
        if (_closedBy is { } reason)
        {
            throw reason;
        }
    }

    private StreamTopic TopicOf(string name)
    {
        if (!_topics.TryGetValue(name, out var topic))
        {
            _topics.Add(name, topic = new StreamTopic(name, (uint)_topics.Count));
        }

        return topic;
    }

    private OutgoingBatch NewBatch(StreamTopic topic) => new(topic.Name, topic.WantsIdHash, time.GetTimestamp());

    private bool IsFull(OutgoingBatch batch, OutgoingMessage message) =>
        batch.Records.Count >= options.BatchCountMax || batch.Records.Length + message.Body.Length > options.BatchBytesMax;

    // Messages without order share a batch; those of message groups share one with their queue, as far as it is known.
    private static BatchKey KeyOf(OutgoingMessage message, StreamTopic topic)
    {
        if (message.Priority is { } priority)
        {
            return new BatchKey(topic, 2, priority);
        }

        if (RecordBuffer.OrderKey(message) is not { } order)
        {
            return new BatchKey(topic, 0, message.DeliverAt is null ? 0 : 1);
        }

        var hash = RecordHashes.OfMessageGroup(order);
        return topic.QueueCount > 0 && !topic.ServerChoosesQueue && message.DeliverAt is null
            ? new BatchKey(topic, 1, RecordHashes.QueueOf(hash, topic.QueueCount))
            : new BatchKey(topic, 3, hash);
    }

    private readonly record struct BatchKey(StreamTopic Topic, int Kind, long Value);
}
