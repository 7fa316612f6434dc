using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Quotas;
using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;
using Dledger.Storage.Queues;

namespace Dledger.Broker.Offsets;

/// <summary>
/// Pulls that wait for their queue. Volatile, the serving leader's only, owned by the apply loop.
/// </summary>
/// <remarks>
/// A pull waits on its one queue and is looked at when a message joins that queue, once per frame; nothing else touches it. Unlike a
/// receive it takes nothing away, so all that wait are served.
/// </remarks>
internal sealed class PullTable(
    TopicTable topics, GroupTable groups, BrokerOptions options, Func<ReceiveQuotas> quotas)
{
    /// <summary>Most index entries looked at in one go; a pull that finds nothing in them is posted again.</summary>
    private const int ScanMax = 4_096;

    private const int BlockEntries = 32;
    private const int SweepAtMin = 32;

    private readonly Dictionary<(int TopicId, int QueueId), List<PullOperation>> _waiting = [];
    private readonly List<(int TopicId, int QueueId)> _dirty = [];
    private int _sweepAt = SweepAtMin;
    private bool _holdsBack;

    /// <summary>Pulls that wait, finished ones that were not swept yet included.</summary>
    public int WaitingCount { get; private set; }

    /// <summary>Answers a pull, or lets it wait.</summary>
    public void Pull(PullOperation operation, int otherCount)
    {
        if (operation.IsFinished || Serve(operation))
        {
            return;
        }

        if (WaitingCount + otherCount >= options.ParkedReceivesMax)
        {
            operation.Complete(PullGrant.Of(new BrokerFailure(
                BrokerError.Busy,
                $"{WaitingCount + otherCount} receives wait already; the limit is {options.ParkedReceivesMax}")));
            return;
        }

        var key = (operation.TopicId, operation.QueueId);
        if (!_waiting.TryGetValue(key, out var list))
        {
            _waiting.Add(key, list = []);
        }

        list.Add(operation);
        WaitingCount++;
        Sweep();
    }

    /// <summary>A queue gained a message.</summary>
    public void MessageAppended(int topicId, int queueId)
    {
        // Messages of a frame come in runs of one queue, so the last one tells most of it.
        var key = (topicId, queueId);
        if (WaitingCount > 0 && _waiting.ContainsKey(key) && (_dirty.Count == 0 || _dirty[^1] != key))
        {
            _dirty.Add(key);
        }
    }

    /// <summary>Those that a quota holds may go on.</summary>
    public void QuotasDue()
    {
        if (_holdsBack)
        {
            _holdsBack = false;
            _dirty.AddRange(_waiting.Keys);
        }
    }

    /// <summary>Serves those whose queue gained something.</summary>
    public void FrameApplied()
    {
        foreach (var key in _dirty)
        {
            if (_waiting.TryGetValue(key, out var list))
            {
                RemoveWhere(key, list, operation => operation.IsFinished || Serve(operation));
            }
        }

        _dirty.Clear();
    }

    /// <summary>A topic is gone: its pulls end.</summary>
    public void Remove(int topicId, BrokerFailure failure)
    {
        foreach (var key in _waiting.Keys.Where(key => key.TopicId == topicId).ToList())
        {
            End(_waiting[key], failure);
            WaitingCount -= _waiting[key].Count;
            _waiting.Remove(key);
        }
    }

    /// <summary>This node no longer serves.</summary>
    public void Clear(BrokerFailure failure)
    {
        foreach (var list in _waiting.Values)
        {
            End(list, failure);
        }

        _waiting.Clear();
        _dirty.Clear();
        _holdsBack = false;
        WaitingCount = 0;
    }

    private static void End(List<PullOperation> list, BrokerFailure failure)
    {
        foreach (var operation in list)
        {
            operation.Complete(PullGrant.Of(failure));
        }
    }

    // False when it shall wait.
    private bool Serve(PullOperation operation)
    {
        if (topics.Find(operation.TopicId) is not { } topic)
        {
            operation.Complete(PullGrant.Of(new BrokerFailure(BrokerError.TopicNotFound, "the topic was deleted")));
            return true;
        }

        var group = operation.GroupId == 0 ? null : groups.Find(operation.GroupId);
        var room = quotas().Room(group, operation.ClientHash);
        var grant = Read(operation, topic.Queues[operation.QueueId], room, out var refusedBytes);
        if (grant.Entries.Count == 0 && refusedBytes > 0)
        {
            return Hold(operation, quotas().Hold(group, operation.ClientHash, refusedBytes));
        }

        if (grant.Entries.Count > 0 && quotas().Counts(group))
        {
            // With a filter that needs records it is not known yet which of them match.
            var taken = Math.Min(grant.Entries.Count, operation.TakenMax);
            quotas().Charge(group, operation.ClientHash, taken, grant.Entries.Take(taken).Sum(entry => (long)entry.Size));
        }

        var isAtEnd = grant.NextOffset == grant.Max;
        if (operation.CanWait && grant.Entries.Count == 0 && isAtEnd)
        {
            operation.Wait(grant);
            return false;
        }

        operation.Complete(grant);
        return true;
    }

    private bool Hold(PullOperation operation, BrokerFailure reason)
    {
        if (!operation.CanWait)
        {
            operation.Complete(PullGrant.Of(reason));
            return true;
        }

        _holdsBack = true;
        operation.HoldBack(reason);
        return false;
    }

    // It ends before a message that is more than a quota leaves; of that one the size is told.
    private static PullGrant Read(PullOperation operation, QueueState queue, QuotaRoom room, out int refusedBytes)
    {
        refusedBytes = 0;
        var bytes = 0L;
        var from = operation.Offset;
        var found = new List<GrantedMessage>();
        if (from < queue.Min || from > queue.Max)
        {
            return new PullGrant(null, found, from, queue.Min, queue.Max);
        }

        Span<ConsumeQueueEntry> entries = stackalloc ConsumeQueueEntry[BlockEntries];
        for (var scansLeft = ScanMax; from < queue.Max && scansLeft > 0 && HasRoom();)
        {
            var count = queue.Read(from, entries);
            for (var i = 0; i < count && HasRoom() && refusedBytes == 0; i++, scansLeft--)
            {
                var entry = entries[i];
                var tagHash = IndexHash.TagOf(entry.TagHash);
                if (operation.Filter.MayMatch(tagHash))
                {
                    if (found.Count >= room.Messages
                        || (bytes + entry.Size > room.Bytes && !(bytes == 0 && room.TakesAny)))
                    {
                        refusedBytes = entry.Size;
                        break;
                    }

                    bytes += entry.Size;
                    found.Add(new GrantedMessage(
                        operation.QueueId,
                        from,
                        entry.Position,
                        entry.Size,
                        tagHash,
                        Attempt: 1,
                        IndexHash.GroupOf(entry.TagHash)));
                }

                from++;
            }

            if (refusedBytes > 0)
            {
                break;
            }
        }

        return new PullGrant(null, found, from, queue.Min, queue.Max);

        bool HasRoom() => found.Count < operation.BatchSize && bytes < operation.BytesMax;
    }

    // Those whose time ran out stay listed until somebody comes along; without messages that is the next pull only.
    private void Sweep()
    {
        if (WaitingCount < _sweepAt)
        {
            return;
        }

        foreach (var (key, list) in _waiting.ToList())
        {
            RemoveWhere(key, list, static operation => operation.IsFinished);
        }

        _sweepAt = Math.Max(SweepAtMin, WaitingCount * 2);
    }

    private void RemoveWhere((int TopicId, int QueueId) key, List<PullOperation> list, Predicate<PullOperation> isOver)
    {
        WaitingCount -= list.RemoveAll(isOver);
        if (list.Count == 0)
        {
            _waiting.Remove(key);
        }
    }
}
