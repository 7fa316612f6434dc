using Dledger.Broker.Messages;
using Dledger.Primitives;
using Dledger.Storage.Queues;
using Dledger.Storage.Records;

namespace Dledger.Broker.Topics;

/// <summary>One queue of a topic: the index of its messages. Owned by the apply loop.</summary>
internal sealed class QueueState(int queueId, ConsumeQueue index)
{
    private long _headOffset = -1;
    private LogPosition _head;

    public int QueueId { get; } = queueId;

    /// <summary>First kept offset.</summary>
    public long Min => index.Min.Value;

    /// <summary>The offset that the next message gets.</summary>
    public long Max => index.Max.Value;

    /// <summary>Where the first kept message lies in the log; null when there is none. Reads the index once for each head.</summary>
    public LogPosition? Head
    {
        get
        {
            if (Min == Max)
            {
                return null;
            }

            if (_headOffset != Min)
            {
                _head = Read(Min).Position;
                _headOffset = Min;
            }

            return _head;
        }
    }

    /// <summary>Gives the next offset to a record of the log (I37: dense, I38: in log order).</summary>
    public QueueOffset Append(LogPosition position, in RecordView record) =>
        Append(position, record.Length, IndexHash.Of(record));

    /// <summary>The same for a message of a batch that stays compressed.</summary>
    /// <param name="position">Of its row.</param>
    /// <param name="length">Bytes of its record before it was compressed.</param>
    /// <param name="indexHash">See <see cref="IndexHash"/>.</param>
    public QueueOffset Append(LogPosition position, int length, long indexHash)
    {
        var expected = index.Max;
        var offset = index.Append(new ConsumeQueueEntry(position, length, indexHash));
        Invariant.Check(
            offset == expected && index.Max == offset + 1, $"queue offset {offset} follows the end at {expected}");
        return offset;
    }

    /// <summary>Forgets the messages at the queue's head whose records lie before a position; the first kept offset.</summary>
    public long AdvanceMin(LogPosition logStart) => index.AdvanceMin(logStart).Value;

    /// <summary>Forgets the messages before an offset; the first kept one, which never decreases and is never behind the end.</summary>
    public long AdvanceMinTo(long wanted) => index.AdvanceMinTo(new QueueOffset(wanted)).Value;

    /// <summary>Entries from an offset on; the answer is how many there were.</summary>
    public int Read(long from, Span<ConsumeQueueEntry> destination) => index.Read(new QueueOffset(from), destination);

    /// <summary>The entry of an offset in [Min, Max).</summary>
    public ConsumeQueueEntry Read(long offset)
    {
        Span<ConsumeQueueEntry> entry = stackalloc ConsumeQueueEntry[1];
        var count = Read(offset, entry);
        Invariant.Check(count == 1, $"queue offset {offset} lies in [{Min}, {Max})");
        return entry[0];
    }
}
