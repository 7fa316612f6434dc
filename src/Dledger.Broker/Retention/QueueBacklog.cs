using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Storage.Queues;

namespace Dledger.Broker.Retention;

/// <summary>
/// The bytes of a queue's messages, counted in blocks of neighbours. A size can be taken away a block at a time. Owned by the apply loop.
/// </summary>
/// <remarks>
/// Volatile: a new leader counts anew from the head on, so until it is through it knows less than there is and takes too little.
/// Memory: 40 bytes for each block.
/// </remarks>
internal sealed class QueueBacklog
{
    private const int BlockEntriesMax = 1_024;
    private const int PieceEntries = 204;

    private readonly List<Block> _blocks = [];
    private int _first;
    private long _counted;

    /// <summary>Bytes of the messages counted so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>Follows the queue to its present ends, as far as the budget of entries goes.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="blockBytes">A block that has so many bytes is full.</param>
    /// <param name="budget">Entries of the index that may still be read; taken from.</param>
    public void Follow(QueueState queue, long blockBytes, ref int budget)
    {
        Shrink(queue);
        _counted = Math.Max(_counted, queue.Min);
        Span<ConsumeQueueEntry> piece = stackalloc ConsumeQueueEntry[PieceEntries];
        while (_counted < queue.Max && budget > 0)
        {
            var read = piece[..queue.Read(_counted, piece)];
            budget -= read.Length;
            foreach (var entry in read)
            {
                Add(entry, blockBytes);
            }
        }
    }

    /// <summary>A block by its number from the head; null behind the last one.</summary>
    public Block? At(int index) => _first + index < _blocks.Count ? _blocks[_first + index] : null;

    private void Add(in ConsumeQueueEntry entry, long blockBytes)
    {
        var last = _blocks.Count > _first ? _blocks[^1] : default;
        if (last.End == last.Start || last.End - last.Start >= BlockEntriesMax || last.Bytes >= blockBytes)
        {
            _blocks.Add(new Block(_counted, _counted + 1, entry.Size, entry.Position));
        }
        else
        {
            _blocks[^1] = last with { End = _counted + 1, Bytes = last.Bytes + entry.Size };
        }

        Bytes += entry.Size;
        _counted++;
    }

    private void Shrink(QueueState queue)
    {
        for (; _first < _blocks.Count && _blocks[_first].End <= queue.Min; _first++)
        {
            Bytes -= _blocks[_first].Bytes;
        }

        if (_first == _blocks.Count || _first > BlockEntriesMax)
        {
            _blocks.RemoveRange(0, _first);
            _first = 0;
        }

        if (_first < _blocks.Count && _blocks[_first].Start < queue.Min)
        {
            Recount(queue, _blocks[_first]);
        }
    }

    // What went was not a whole block: the rest of it must not count for more than it is.
    private void Recount(QueueState queue, Block block)
    {
        Span<ConsumeQueueEntry> piece = stackalloc ConsumeQueueEntry[PieceEntries];
        var bytes = 0L;
        for (var offset = queue.Min; offset < block.End;)
        {
            var read = queue.Read(offset, piece[..(int)Math.Min(PieceEntries, block.End - offset)]);
            foreach (var entry in piece[..read])
            {
                bytes += entry.Size;
            }

            offset += read;
        }

        Bytes += bytes - block.Bytes;
        _blocks[_first] = new Block(queue.Min, block.End, bytes, queue.Head ?? block.Position);
    }

    /// <summary>Neighbouring messages: offsets from Start up to and without End, and where the first one lies in the log.</summary>
    internal readonly record struct Block(long Start, long End, long Bytes, LogPosition Position);
}
