using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Queues;
using Dledger.Testing.Disks;

namespace Dledger.Storage.Tests.Queues;

/// <summary>A checkpoint syncs the queues on another thread while the apply loop goes on writing to them.</summary>
public sealed class QueueSyncTests
{
    private static readonly ConsumeQueueOptions Small = new() { EntriesPerFile = 50, OpenFileCountMax = 16 };

    [Fact]
    public void What_was_written_before_the_cut_survives_a_loss_of_power_after_the_sync()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var disk = new SimulatedDisk(seed);
            var store = new ConsumeQueueStore(disk, "cq", Small);
            var queue = Fill(store.Create(1, 0), 120);
            var sync = store.BeginCheckpoint();
            Fill(queue, 30);
            store.Flush();

            sync.Run();

            Assert.True(SurvivesPowerLoss(disk, 120), $"seed {seed}");
        }
    }

    [Fact]
    public void What_is_written_while_a_sync_runs_is_owed_to_the_next_one()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var disk = new SimulatedDisk(seed);
            var store = new ConsumeQueueStore(disk, "cq", Small);
            var queue = Fill(store.Create(1, 0), 20);
            var sync = store.BeginCheckpoint();
            sync.Run();
            Fill(queue, 20);
            store.Flush();
            sync.End();

            store.Sync();

            Assert.True(SurvivesPowerLoss(disk, 40), $"seed {seed}");
        }
    }

    [Fact]
    public void A_file_that_a_killed_process_had_created_keeps_its_name_over_a_loss_of_power()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var disk = new SimulatedDisk(seed);
            using (var killed = new ConsumeQueueStore(disk, "cq", Small))
            {
                Fill(killed.Create(1, 0), 20);
                killed.Flush();
                disk.RestartProcess();
            }

            var store = new ConsumeQueueStore(disk, "cq", Small);
            Assert.True(store.TryRestore(1, 0, new QueueOffset(0), new QueueOffset(0), out var queue, out var fault), fault);
            Fill(queue, 20);

            store.BeginCheckpoint().Run();

            Assert.True(SurvivesPowerLoss(disk, 20), $"seed {seed}");
        }
    }

    [Fact]
    public void A_sync_that_never_ran_is_owed_to_the_next_one()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var disk = new SimulatedDisk(seed);
            var store = new ConsumeQueueStore(disk, "cq", Small);
            Fill(store.Create(1, 0), 120);
            store.BeginCheckpoint().End();

            store.Sync();

            Assert.True(SurvivesPowerLoss(disk, 120), $"seed {seed}");
        }
    }

    [Fact]
    public void Files_of_a_sync_stay_open_while_others_are_used()
    {
        var disk = new SimulatedDisk(1);
        var store = new ConsumeQueueStore(disk, "cq", Small);
        var queues = Enumerable.Range(0, 64).Select(id => Fill(store.Create(1, id), 10)).ToList();
        store.Flush();
        var sync = store.BeginCheckpoint();

        // More files than may be open; the pinned ones are not among those that are closed.
        Assert.All(queues, queue => Fill(queue, 10));
        store.Flush();
        sync.Run();
        sync.End();
        store.Sync();

        disk.Crash();
        disk.LosePower();
        using var next = new ConsumeQueueStore(disk, "cq", Small);
        Assert.All(queues, queue => Assert.True(
            next.TryRestore(1, queue.QueueId, new QueueOffset(0), new QueueOffset(20), out _, out var fault), fault));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(QueueSync.WholeSyncMin + 20)]
    public void A_sync_that_ended_covers_all_queues_whenever_power_is_lost(int queueCount)
    {
        for (var seed = 1; seed <= 60; seed++)
        {
            var disk = new SimulatedDisk(seed);
            var store = new ConsumeQueueStore(disk, "cq", Small);
            var queues = Enumerable.Range(0, queueCount).Select(id => Fill(store.Create(1, id), 70)).ToList();
            var sync = store.BeginCheckpoint();
            var isDone = false;
            disk.CrashAtOperation = disk.OperationCount + 1 + (seed * queueCount / 10);
            try
            {
                sync.Run();
                isDone = true;
            }
            catch (SimulatedCrashException)
            {
            }

            disk.Crash();
            disk.LosePower();
            using var next = new ConsumeQueueStore(disk, "cq", Small);
            var faults = queues.Select(queue =>
                next.TryRestore(1, queue.QueueId, new QueueOffset(0), new QueueOffset(70), out _, out var fault) ? null : fault);
            Assert.True(!isDone || faults.All(fault => fault is null), $"seed {seed}");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1 << 20)]
    public void Entries_are_read_before_while_and_after_they_go_to_the_files(int tailBytesMax)
    {
        var store = new ConsumeQueueStore(new SimulatedDisk(1), "cq", Small with { TailBytesMax = tailBytesMax });
        var queues = Enumerable.Range(0, 200).Select(id => Fill(store.Create(1, id), 70)).ToList();

        var sync = store.BeginCheckpoint();
        queues.ForEach(queue => Fill(queue, 5));
        queues[0].Flush();
        CheckAll(queues, 75);
        sync.Run();
        CheckAll(queues, 75);
        sync.End();

        CheckAll(queues, 75);
        Assert.Equal(199 * 5 * ConsumeQueueEntry.Bytes, store.UnflushedBytes);
        Assert.Equal(tailBytesMax > 0, store.TailBytes > 200 * 70 * ConsumeQueueEntry.Bytes);
        store.Sync();
        Assert.Equal(0, store.UnflushedBytes);
        CheckAll(queues, 75);
    }

    [Fact]
    public void A_deleted_queue_leaves_nothing_in_memory()
    {
        var store = new ConsumeQueueStore(new SimulatedDisk(1), "cq", Small);
        Fill(store.Create(1, 0), 70);
        Fill(store.Create(1, 1), 7);

        store.Delete(1, 0);

        Assert.Equal(7 * ConsumeQueueEntry.Bytes, store.UnflushedBytes);
        store.Delete(1, 1);
        Assert.Equal((0, 0, false), (store.UnflushedBytes, store.TailBytes, store.Flush()));
    }

    [Fact]
    public void Lost_writes_fail_the_sync_of_hundreds_of_queues()
    {
        var disk = new SimulatedDisk(1) { SyncFails = path => path == "cq/1/77/00000000000000000000" };
        var store = new ConsumeQueueStore(disk, "cq", Small);
        var queues = Enumerable.Range(0, 200).Select(id => Fill(store.Create(1, id), 70)).ToList();
        var sync = store.BeginCheckpoint();

        Assert.Throws<StorageFaultException>(sync.Run);

        sync.End();
        Assert.Equal(200 * 70 * ConsumeQueueEntry.Bytes, store.UnflushedBytes);
        CheckAll(queues, 70);
    }

    private static void CheckAll(List<ConsumeQueue> queues, int count)
    {
        var entries = new ConsumeQueueEntry[count + 1];
        foreach (var queue in queues)
        {
            Assert.Equal(count, queue.Read(new QueueOffset(0), entries));
            Assert.All(entries.Take(count).Select((entry, at) => (entry, at)), pair => Assert.Equal(pair.at * 100, pair.entry.Position.Value));
        }
    }

    private static ConsumeQueue Fill(ConsumeQueue queue, int count)
    {
        for (var i = 0; i < count; i++)
        {
            queue.Append(new ConsumeQueueEntry(new LogPosition(queue.Max.Value * 100), 64, i));
        }

        return queue;
    }

    private static bool SurvivesPowerLoss(SimulatedDisk disk, long max)
    {
        disk.Crash();
        disk.LosePower();
        using var store = new ConsumeQueueStore(disk, "cq", Small);
        return store.TryRestore(1, 0, new QueueOffset(0), new QueueOffset(max), out _, out _);
    }
}
