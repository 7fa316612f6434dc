using Dledger.Primitives;

namespace Dledger.Storage.Queues;

/// <summary>The entries that waited in the memory of the queues when a checkpoint was cut, and where they go.</summary>
internal sealed class QueueCut
{
    private readonly ConsumeQueueStore _store;
    private readonly List<(ConsumeQueue Queue, QueueOffset End)> _queues;

    /// <summary>Copies what waits.</summary>
    /// <param name="store">Of the queues.</param>
    /// <param name="unflushed">Those that have entries in memory only.</param>
    /// <param name="entriesPerFile">As the queues have it.</param>
    public QueueCut(ConsumeQueueStore store, IReadOnlyCollection<ConsumeQueue> unflushed, int entriesPerFile)
    {
        _store = store;
        _queues = new List<(ConsumeQueue, QueueOffset)>(unflushed.Count);
        var bytes = new byte[unflushed.Sum(queue => queue.Unflushed.Length)];
        var pieces = new List<QueuePiece>(unflushed.Count);
        var at = 0;
        foreach (var queue in unflushed)
        {
            var entries = queue.Unflushed;
            entries.CopyTo(bytes.AsSpan(at));
            AddPieces(pieces, queue, bytes.AsMemory(at, entries.Length), entriesPerFile);
            at += entries.Length;
            _queues.Add((queue, queue.Max));
        }

        Pieces = pieces;
    }

    public IReadOnlyList<QueuePiece> Pieces { get; }

    /// <summary>They are durable: memory need not hold them any more.</summary>
    public void End()
    {
        foreach (var (queue, end) in _queues)
        {
            queue.NoteFlushed(end);
            if (_store.HasTooMuchInMemory)
            {
                queue.TrimTail();
            }
        }
    }

    private static void AddPieces(List<QueuePiece> pieces, ConsumeQueue queue, ReadOnlyMemory<byte> entries, int entriesPerFile)
    {
        for (var next = queue.Flushed; !entries.IsEmpty;)
        {
            var (number, start) = Math.DivRem(next.Value, entriesPerFile);
            var count = (int)Math.Min(entries.Length / ConsumeQueueEntry.Bytes, entriesPerFile - start);
            var length = count * ConsumeQueueEntry.Bytes;
            pieces.Add(new QueuePiece(
                new QueueFileKey(queue.TopicId, queue.QueueId, number), start * ConsumeQueueEntry.Bytes, entries[..length]));
            entries = entries[length..];
            next += count;
        }
    }
}
