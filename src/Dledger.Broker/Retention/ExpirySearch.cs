using Dledger.Broker.Messages;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Storage.Queues;
using Dledger.Storage.Records;

namespace Dledger.Broker.Retention;

/// <summary>Finds how far the messages of a queue are older than a log time. One per queue; owned by the apply loop.</summary>
/// <remarks>
/// The index has no times, so the search reads the headers of records: from the head in doubling steps, then by halves, which costs about
/// twice the logarithm of what has expired. While the head is young nothing is read. Relies on store times that rise with the offsets:
/// the youngest record that is given up is read whole and verified, so a rotten header stops the queue and loses nothing.
/// </remarks>
internal sealed class ExpirySearch
{
    private long _headOffset = -1;
    private long _headTime;

    /// <summary>The first offset to keep: everything before it was stored at the time or earlier.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="records">Reads its records.</param>
    /// <param name="logStart">Records before it are gone.</param>
    /// <param name="time">Microseconds.</param>
    /// <param name="budget">Reads of the log that are left; taken from. Without any the answer is what is known so far.</param>
    public long FindKept(QueueState queue, RecordReader records, LogPosition logStart, long time, ref int budget)
    {
        var min = queue.Min;
        if (min == queue.Max)
        {
            return min;
        }

        if (_headOffset != min)
        {
            if (ReadTime(queue, min, records, logStart, ref budget) is not { } head)
            {
                return min;
            }

            (_headOffset, _headTime) = (min, head);
        }

        return _headTime > time ? min : FindBoundary(queue, records, logStart, time, ref budget);
    }

    // Expired is old; kept is young, or the end of the queue.
    private static long FindBoundary(
        QueueState queue, RecordReader records, LogPosition logStart, long time, ref int budget)
    {
        var expired = queue.Min;
        var kept = queue.Max;
        var isDoubling = true;
        for (var step = 1L; expired + 1 < kept; step *= 2)
        {
            isDoubling &= expired + step < kept;
            var probe = isDoubling ? expired + step : expired + ((kept - expired) / 2);
            if (ReadTime(queue, probe, records, logStart, ref budget) is not { } stored)
            {
                break;
            }

            if (stored <= time)
            {
                expired = probe;
            }
            else
            {
                kept = probe;
                isDoubling = false;
            }
        }

        return IsExpired(queue.Read(expired), records, logStart, time) ? expired + 1 : queue.Min;
    }

    private static bool IsExpired(ConsumeQueueEntry entry, RecordReader records, LogPosition logStart, long time)
    {
        if (entry.Position < logStart)
        {
            return true;
        }

        return records.Read(entry.Position, entry.Size) is { } bytes
            && RecordView.TryParseUnchecked(bytes, out var record, out _)
            && record.StoreTime <= time;
    }

    private static long? ReadTime(
        QueueState queue, long offset, RecordReader records, LogPosition logStart, ref int budget)
    {
        var entry = queue.Read(offset);
        if (entry.Position < logStart)
        {
            return long.MinValue;
        }

        if (budget <= 0)
        {
            return null;
        }

        budget--;
        return records.TryReadStoreTime(entry.Position, entry.Size, out var storeTime) && storeTime > 0 ? storeTime : null;
    }
}
