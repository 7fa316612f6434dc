using System.Diagnostics.CodeAnalysis;
using Dledger.Broker.Commands;
using Dledger.Broker.Timers;
using Dledger.Primitives;
using Dledger.Storage.Queues;
using Dledger.Storage.Snapshots;

namespace Dledger.Broker.Checkpoints;

/// <summary>Reads what <see cref="TimerWriter"/> wrote.</summary>
internal static class TimerReader
{
    /// <summary>
    /// Fills an empty table. False when the files of the runs do not hold what the checkpoint says: all entries are read, and have to
    /// add up.
    /// </summary>
    public static bool TryRead(
        byte[] part, ConsumeQueueStore queues, TimerTable timers, [NotNullWhen(false)] out string? fault)
    {
        var reader = new ByteReader(part);
        reader.Version(TimerWriter.FormatVersion);
        var count = reader.Int64();
        var hash = (ulong)reader.Int64();
        for (var left = reader.Count(24); left > 0; left--)
        {
            timers.Moved.Put(reader.Int64(), new TimerKey(reader.Int64(), reader.Int64()));
        }

        timers.RestoreNextRun(reader.Int32());
        for (var left = reader.Count(16); left > 0; left--)
        {
            var (number, head, size, over) = ReadRun(ref reader);
            if (!queues.TryRestore(
                TimerRun.TopicId, number, new QueueOffset(head), new QueueOffset(size), out var index, out fault))
            {
                return false;
            }

            if (!TimerRun.TryOpen(index, over, out var run))
            {
                fault = $"run {number} of delayed messages is not in order";
                return false;
            }

            timers.Restore(run);
        }

        for (var left = reader.Count(24); left > 0; left--)
        {
            var key = new TimerKey(reader.Int64(), reader.Int64());
            timers.Restore(new TimerEntry(key, reader.Int32(), reader.Int32()));
        }

        reader.End();
        fault = timers.Count == count && timers.ContentHash == hash
            ? null
            : $"{timers.Count} delayed messages are there, and not the {count} that were written";
        return fault is null;
    }

    /// <summary>What a checkpoint says about the files of the runs.</summary>
    public static List<SnapshotQueue> ReadQueues(byte[] part)
    {
        var queues = new List<SnapshotQueue>();
        var reader = new ByteReader(part);
        reader.Version(TimerWriter.FormatVersion);
        reader.Take(16);
        reader.Take(24 * reader.Count(24));
        reader.Int32();
        for (var left = reader.Count(16); left > 0; left--)
        {
            var (number, head, size, _) = ReadRun(ref reader);
            queues.Add(new SnapshotQueue(TimerRun.TopicId, number, new QueueOffset(head), new QueueOffset(size)));
        }

        return queues;
    }

    private static (int Number, int Head, int Size, ulong[] Over) ReadRun(ref ByteReader reader)
    {
        var number = reader.Int32();
        var head = reader.Int32();
        var size = reader.Int32();
        var over = new ulong[reader.Count(8)];
        for (var i = 0; i < over.Length; i++)
        {
            over[i] = (ulong)reader.Int64();
        }

        return (number, head, size, over);
    }
}
