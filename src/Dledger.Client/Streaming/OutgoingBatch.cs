using Dledger.Client.Producing;

namespace Dledger.Client.Streaming;

/// <summary>Messages that are sent together. Filled and sent under the lock of its <see cref="BatchQueue"/>.</summary>
internal sealed class OutgoingBatch(string topic, bool hashesIds, long createdAt)
{
    private readonly TaskCompletionSource<BatchReceipt> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<long> _orderHashes = [];

    public string Topic { get; } = topic;

    public RecordBuffer Records { get; } = new(hashesIds);

    /// <summary>Timestamp; its patience counts from here.</summary>
    public long CreatedAt { get; } = createdAt;

    public Task<BatchReceipt> Task => _completion.Task;

    /// <summary>Names it on its stream.</summary>
    public ulong Number { get; set; }

    /// <summary>Number of its first message; 0 before it was sent first.</summary>
    public int FirstSequence { get; set; }

    /// <summary>An attempt ended so that it may have stored the batch.</summary>
    public bool MayBeStored { get; set; }

    /// <summary>How often the topic was not what it was thought to be.</summary>
    public int StaleCount { get; set; }

    /// <summary>The queue, once it was sent: a repeat goes where the first attempt went.</summary>
    public int? QueueId { get; set; }

    public void Add(OutgoingMessage message, string messageId, long bornMicroseconds)
    {
        Records.Add(message, messageId, bornMicroseconds);
        if (RecordBuffer.OrderKey(message) is { } order)
        {
            _orderHashes.Add(RecordHashes.OfMessageGroup(order));
        }
    }

    /// <summary>The queue that its message groups belong to; null when it has none, or they belong to several.</summary>
    public bool TryFindQueue(int queueCount, out int? queueId)
    {
        queueId = null;
        foreach (var hash in _orderHashes)
        {
            var queue = RecordHashes.QueueOf(hash, queueCount);
            if (queueId is { } other && other != queue)
            {
                return false;
            }

            queueId = queue;
        }

        return true;
    }

    public void Complete(BatchReceipt receipt) => _completion.TrySetResult(receipt);

    public void Fail(Exception failure) => _completion.TrySetException(failure);
}
