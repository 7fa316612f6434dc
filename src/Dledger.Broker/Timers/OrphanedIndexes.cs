using Dledger.Storage.Queues;

namespace Dledger.Broker.Timers;

/// <summary>
/// Indexes that the state needs no more: their files go once neither of the two kept checkpoints names them, nor a snapshot that is
/// being sent. Owned by the apply loop.
/// </summary>
internal sealed class OrphanedIndexes(ConsumeQueueStore queues)
{
    private readonly List<(int TopicId, int QueueId)> _since = [];
    private readonly List<(int TopicId, int QueueId)> _missingInCut = [];
    private readonly List<(int TopicId, int QueueId)> _missingInNewest = [];

    /// <summary>The state needs an index no more.</summary>
    public void Add(int topicId, int queueId) => _since.Add((topicId, queueId));

    /// <summary>A state checkpoint is cut that does not name what was added so far.</summary>
    public void BeginCheckpoint()
    {
        _missingInCut.AddRange(_since);
        _since.Clear();
    }

    /// <summary>The checkpoint is durable, or there is none.</summary>
    public void EndCheckpoint(bool isDone)
    {
        if (!isDone)
        {
            _since.AddRange(_missingInCut);
            _missingInCut.Clear();
            return;
        }

        if (!queues.IsPinned)
        {
            foreach (var (topicId, queueId) in _missingInNewest)
            {
                queues.Delete(topicId, queueId);
            }

            _missingInNewest.Clear();
        }

        _missingInNewest.AddRange(_missingInCut);
        _missingInCut.Clear();
    }
}
