using Dledger.Broker.Commands;
using Dledger.Broker.Timers;

namespace Dledger.Broker.Checkpoints;

/// <summary>Writes the pending delayed messages. Layout: FORMAT.md.</summary>
internal static class TimerWriter
{
    public const byte FormatVersion = 1;

    /// <summary>The part of a checkpoint: what waits, and where.</summary>
    public static ReadOnlyMemory<byte> Write(TimerTable timers)
    {
        var writer = new ByteWriter(4096);
        writer.Byte(FormatVersion);
        WriteContent(writer, timers);
        writer.Int32(timers.NextRun);
        writer.Int32(timers.Runs.Count);
        foreach (var run in timers.Runs)
        {
            WriteRun(writer, run);
        }

        writer.Int32(timers.Memory.Count);
        foreach (var entry in timers.Memory.All)
        {
            writer.Int64(entry.Key.Tick);
            writer.Int64(entry.Key.Position);
            writer.Int32(entry.Size);
            writer.Int32(entry.TopicId);
        }

        return writer.Written;
    }

    /// <summary>What waits, in a form that does not depend on where: a part of the state's hash.</summary>
    public static ReadOnlyMemory<byte> WriteContent(TimerTable timers)
    {
        var writer = new ByteWriter();
        WriteContent(writer, timers);
        return writer.Written;
    }

    private static void WriteContent(ByteWriter writer, TimerTable timers)
    {
        writer.Int64(timers.Count);
        writer.Int64((long)timers.ContentHash);
        writer.Int32(timers.Moved.Count);
        foreach (var (origin, key) in timers.Moved.All)
        {
            writer.Int64(origin);
            writer.Int64(key.Tick);
            writer.Int64(key.Position);
        }
    }

    private static void WriteRun(ByteWriter writer, TimerRun run)
    {
        writer.Int32(run.Number);
        writer.Int32(run.Head);
        writer.Int32(run.Size);
        if (run.Size - run.Head == run.LiveCount)
        {
            writer.Int32(0);
            return;
        }

        writer.Int32(run.Over.Length);
        foreach (var word in run.Over)
        {
            writer.Int64((long)word);
        }
    }
}
