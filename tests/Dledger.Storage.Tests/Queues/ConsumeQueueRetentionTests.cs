using Dledger.Primitives;
using Dledger.Storage.Queues;
using Dledger.Testing.Disks;

namespace Dledger.Storage.Tests.Queues;

/// <summary>The first offset of a queue follows the log's start (section 2.21).</summary>
public sealed class ConsumeQueueRetentionTests
{
    private static readonly ConsumeQueueOptions Small = new()
    {
        EntriesPerFile = 50,
        OpenFileCountMax = 3,
        TailEntryCountMax = 40,
    };

    [Fact]
    public void The_first_offset_moves_while_the_head_lies_before_the_start_and_no_further()
    {
        var disk = new SimulatedDisk(1);
        var store = new ConsumeQueueStore(disk, "cq", Small);
        var queue = store.Create(1, 0);

        // A delayed message: its entry points back, behind one that stays.
        long[] positions = [100, 200, 900, 300, 950];
        foreach (var position in positions)
        {
            queue.Append(new ConsumeQueueEntry(new LogPosition(position), 64, 0));
        }

        Assert.Equal(0, queue.AdvanceMin(new LogPosition(100)).Value);
        Assert.Equal(2, queue.AdvanceMin(new LogPosition(500)).Value);
        Assert.Equal(0, queue.Read(new QueueOffset(1), new ConsumeQueueEntry[1]));
        Assert.Equal(4, queue.AdvanceMin(new LogPosition(901)).Value);
        Assert.Equal(5, queue.AdvanceMin(new LogPosition(2000)).Value);
        Assert.Equal(queue.Max, queue.Min);
        Assert.Equal(5, queue.Append(new ConsumeQueueEntry(new LogPosition(3000), 64, 0)).Value);
    }

    [Fact]
    public void Files_go_after_the_second_checkpoint_that_does_not_need_them()
    {
        var disk = new SimulatedDisk(2);
        var store = new ConsumeQueueStore(disk, "cq", Small);
        var queue = Fill(store, 220);
        store.Sync();
        Checkpoint(store);

        store.AdvanceMins(new LogPosition(12_000));
        Assert.Equal(120, queue.Min.Value);
        Checkpoint(store);
        Assert.Equal(5, disk.List("cq/1/0").Count);
        Assert.True(CanRestore(disk, 0, 220), "the older checkpoint can still be used");
        Checkpoint(store);
        Assert.Equal(3, disk.List("cq/1/0").Count);
        Assert.True(CanRestore(disk, 120, 220), "the newer one too");
        Assert.False(CanRestore(disk, 0, 220));
    }

    [Fact]
    public void What_expires_while_a_checkpoint_is_written_stays_for_that_checkpoint()
    {
        var disk = new SimulatedDisk(5);
        var store = new ConsumeQueueStore(disk, "cq", Small);
        Fill(store, 220);
        Checkpoint(store);

        var sync = store.BeginCheckpoint();
        store.AdvanceMins(new LogPosition(12_000));
        sync.Run();
        sync.End();
        store.DeleteExpired();
        Checkpoint(store);
        Assert.True(CanRestore(disk, 0, 220), "the older checkpoint was cut before");
        Checkpoint(store);

        Assert.False(CanRestore(disk, 0, 220));
    }

    [Fact]
    public void A_pin_keeps_expired_files_until_it_goes()
    {
        var disk = new SimulatedDisk(3);
        var store = new ConsumeQueueStore(disk, "cq", Small);
        Fill(store, 220);
        store.Sync();
        var pin = store.PinFiles();
        store.AdvanceMins(new LogPosition(21_000));
        Checkpoint(store);
        Checkpoint(store);
        Assert.Equal(5, disk.List("cq/1/0").Count);

        pin.Dispose();
        pin.Dispose();
        Checkpoint(store);
        Checkpoint(store);

        Assert.Single(disk.List("cq/1/0"));
    }

    [Fact]
    public void A_restart_deletes_what_an_interrupted_deletion_left()
    {
        var disk = new SimulatedDisk(4);
        var store = new ConsumeQueueStore(disk, "cq", Small);
        Fill(store, 220);
        store.Sync();
        store.Dispose();

        var next = new ConsumeQueueStore(disk, "cq", Small);
        Assert.True(next.TryRestore(1, 0, new QueueOffset(120), new QueueOffset(220), out _, out _));
        Checkpoint(next);

        Assert.Equal(3, disk.List("cq/1/0").Count);
    }

    private static void Checkpoint(ConsumeQueueStore store)
    {
        var sync = store.BeginCheckpoint();
        sync.Run();
        sync.End();
        store.DeleteExpired();
    }

    private static ConsumeQueue Fill(ConsumeQueueStore store, int count)
    {
        var queue = store.Create(1, 0);
        for (var i = 0; i < count; i++)
        {
            queue.Append(new ConsumeQueueEntry(new LogPosition(i * 100), 64, i));
        }

        return queue;
    }

    private static bool CanRestore(SimulatedDisk disk, long min, long max)
    {
        using var store = new ConsumeQueueStore(disk, "cq", Small);
        return store.TryRestore(1, 0, new QueueOffset(min), new QueueOffset(max), out _, out _);
    }
}
