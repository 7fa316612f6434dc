using Dledger.Primitives;
using Dledger.Storage.Checkpoints;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;
using Dledger.Storage.Queues;
using Dledger.Storage.Snapshots;
using Dledger.Testing.Disks;

namespace Dledger.Storage.Tests.Snapshots;

/// <summary>A sender with a state checkpoint and two queues, and what it takes to copy them.</summary>
internal sealed class SnapshotBench : IDisposable
{
    public static readonly ConsumeQueueOptions Queues = new() { EntriesPerFile = 50, OpenFileCountMax = 16 };

    public static readonly ChainTail LogStart = new(new LogPosition(4096), 0xCAFE, 328, new Term(2), 1_700_000);

    public static readonly LogPosition Applied = new(100_000);

    private readonly ConsumeQueueStore _queues;
    private readonly CheckpointPin _pin;

    public SnapshotBench(int seed)
    {
        Disk = new SimulatedDisk(seed);
        States = new StateCheckpointStore(Disk, "g/state");
        Disk.CreateDirectory("g");
        _queues = new ConsumeQueueStore(Disk, "g/cq", Queues);
        Fill(_queues.Create(1, 0), 130);
        Fill(_queues.Create(2, 7), 20);
        _queues.Sync();
        States.Write(Applied, new Term(3), 0xABCD, [("topics", new byte[] { 1, 2, 3 }), ("empty", Array.Empty<byte>())]);
        _pin = States.PinNewest()!;

        // What comes behind the checkpoint does not belong to it.
        Fill(_queues.Create(3, 0), 10);
        _queues.Sync();
        Source = SnapshotSource.Create(
            Disk,
            "g",
            _pin,
            LogStart,
            [
                new SnapshotQueue(1, 0, new QueueOffset(60), new QueueOffset(125)),
                new SnapshotQueue(2, 7, new QueueOffset(0), new QueueOffset(20)),
            ],
            Queues,
            "extra"u8.ToArray(),
            pins: []);
    }

    public SimulatedDisk Disk { get; }

    public StateCheckpointStore States { get; }

    public SnapshotSource Source { get; }

    public SnapshotManifest Manifest => Source.Manifest;

    public byte[] ReadPart(int part)
    {
        var bytes = new byte[Manifest.Parts[part].Length];
        Assert.Equal(bytes.Length, Source.Read(part, 0, bytes));
        return bytes;
    }

    /// <summary>Sends what is missing, in chunks of a few bytes.</summary>
    public void Send(SnapshotStaging staging, int chunkBytes = 300)
    {
        for (var part = 0; part < Manifest.Parts.Count; part++)
        {
            while (!staging.HasPart(part))
            {
                var chunk = ReadPart(part).AsSpan((int)staging.ReceivedBytes(part));
                chunk = chunk[..Math.Min(chunk.Length, chunkBytes)];
                var outcome = staging.WriteChunk(part, staging.ReceivedBytes(part), chunk, Crc32C.Compute(chunk));
                Assert.True(
                    outcome is ChunkOutcome.Accepted or ChunkOutcome.PartComplete or ChunkOutcome.PartDiscarded,
                    $"{outcome}");
            }
        }
    }

    /// <summary>Whether a disk holds the sender's state and queues.</summary>
    public static void AssertInstalled(IDisk disk)
    {
        var state = new StateCheckpointStore(disk, "g/state").ReadNewest(LogPosition.Zero, out _, Applied);
        Assert.Equal(new byte[] { 1, 2, 3 }, state!.Parts["topics"]);
        Assert.Equal(new Term(3), state.Term);
        Assert.Equal(0xABCDu, state.HeaderCrc);
        using var queues = new ConsumeQueueStore(disk, "g/cq", Queues);
        Assert.True(queues.TryRestore(1, 0, new QueueOffset(60), new QueueOffset(125), out var first, out var fault), fault);
        Assert.True(queues.TryRestore(2, 7, new QueueOffset(0), new QueueOffset(20), out var second, out fault), fault);
        var entries = new ConsumeQueueEntry[65];
        Assert.Equal(65, first.Read(new QueueOffset(60), entries));
        Assert.Equal(Enumerable.Range(60, 65).Select(Entry), entries);
        Assert.Equal(20, second.Read(new QueueOffset(0), entries));
        Assert.Equal(["1", "2"], disk.List("g/cq"));
        Assert.False(disk.Exists("g/incoming"));
    }

    public void Dispose()
    {
        Source.Dispose();
        _pin.Dispose();
        _queues.Dispose();
    }

    private static void Fill(ConsumeQueue queue, int count)
    {
        for (var i = 0; i < count; i++)
        {
            queue.Append(Entry(i));
        }
    }

    private static ConsumeQueueEntry Entry(int i) => new(new LogPosition(4096 + (i * 100)), 64, i);
}
