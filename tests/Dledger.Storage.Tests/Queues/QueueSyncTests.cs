using Dledger.Primitives;
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
