using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Queues;
using Dledger.Testing.Disks;
using FsCheck;
using FsCheck.Fluent;

namespace Dledger.Storage.Tests.Queues;

public sealed class ConsumeQueueTests
{
    private static readonly ConsumeQueueOptions Small = new()
    {
        EntriesPerFile = 50,
        OpenFileCountMax = 3,
        TailEntryCountMax = 40,
    };

    [Fact]
    public void A_queue_reads_like_a_list_whatever_is_appended_flushed_synced_and_reopened()
    {
        Prop.ForAll<int[]>(steps =>
        {
            var disk = new SimulatedDisk(1);
            var store = new ConsumeQueueStore(disk, "cq", Small);
            var queue = store.Create(4, 2);
            var list = new List<ConsumeQueueEntry>();
            foreach (var step in steps)
            {
                switch (Math.Abs((long)step) % 6)
                {
                    case 0:
                        Assert.Equal(list.Count > 0 && queue.HasUnflushed, store.Flush());
                        break;
                    case 1:
                        store.Sync();
                        break;
                    case 2:
                        store.Sync();
                        store.Dispose();
                        store = new ConsumeQueueStore(disk, "cq", Small);
                        Assert.True(
                            store.TryRestore(4, 2, new QueueOffset(0), queue.Max, out queue, out var fault), fault);
                        break;
                    default:
                        Append(queue, list, (int)(Math.Abs((long)step) % 70));
                        break;
                }

                CheckSame(list, queue);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Offsets_are_dense_and_reads_stop_at_the_end()
    {
        var store = new ConsumeQueueStore(new SimulatedDisk(1), "cq", Small);
        var queue = store.Create(1, 0);
        for (var i = 0; i < 500; i++)
        {
            Assert.Equal(new QueueOffset(i), queue.Append(Entry(i)));
        }

        var buffer = new ConsumeQueueEntry[600];
        Assert.Equal(500, queue.Read(new QueueOffset(0), buffer));
        Assert.Equal(1, queue.Read(new QueueOffset(499), buffer));
        Assert.Equal(0, queue.Read(new QueueOffset(500), buffer));
        Assert.Equal(0, queue.Read(new QueueOffset(-1), buffer));
    }

    [Fact]
    public void Many_queues_share_few_open_files()
    {
        var store = new ConsumeQueueStore(new SimulatedDisk(1), "cq", Small);
        var queues = Enumerable.Range(0, 20).Select(id => store.Create(1, id)).ToArray();
        for (var i = 0; i < 130; i++)
        {
            foreach (var queue in queues)
            {
                queue.Append(Entry((i * 100) + queue.QueueId));
            }

            if (i % 30 == 0)
            {
                store.Flush();
            }
        }

        store.Sync();
        var buffer = new ConsumeQueueEntry[130];
        foreach (var queue in queues)
        {
            Assert.Equal(130, queue.Read(new QueueOffset(0), buffer));
            Assert.Equal(Entry(12_900 + queue.QueueId), buffer[129]);
        }
    }

    [Fact]
    public void A_restored_queue_forgets_what_was_behind_its_checkpoint()
    {
        var disk = new SimulatedDisk(1);
        var store = new ConsumeQueueStore(disk, "cq", Small);
        var list = new List<ConsumeQueueEntry>();
        Append(store.Create(1, 0), list, 180);
        store.Sync();

        var again = new ConsumeQueueStore(disk, "cq", Small);
        Assert.True(again.TryRestore(1, 0, new QueueOffset(0), new QueueOffset(70), out var queue, out _));

        Assert.Equal(["00000000000000000000", "00000000000000000050"], disk.List("cq/1/0"));
        list.RemoveRange(70, 110);
        Append(queue, list, 60);
        again.Sync();
        CheckSame(list, queue);
    }

    [Fact]
    public void A_queue_shorter_than_the_checkpoint_says_is_refused()
    {
        var disk = new SimulatedDisk(1);
        var store = new ConsumeQueueStore(disk, "cq", Small);
        Append(store.Create(1, 0), [], 60);
        store.Sync();

        var again = new ConsumeQueueStore(disk, "cq", Small);
        Assert.False(again.TryRestore(1, 0, new QueueOffset(0), new QueueOffset(61), out _, out var fault));
        Assert.Contains("holds 10 entries, expected 11", fault);
        Assert.False(again.TryRestore(1, 5, new QueueOffset(0), new QueueOffset(1), out _, out _));
        Assert.True(again.TryRestore(1, 5, new QueueOffset(0), new QueueOffset(0), out _, out _));
    }

    [Fact]
    public void What_was_synced_survives_a_power_loss_whenever_it_comes()
    {
        for (var seed = 1; seed <= 300; seed++)
        {
            var disk = new SimulatedDisk(seed) { CrashAtOperation = 1 + (seed % 60) };
            var list = new List<ConsumeQueueEntry>();
            var syncedCount = 0;
            try
            {
                var store = new ConsumeQueueStore(disk, "cq", Small);
                var queue = store.Create(1, 0);
                var other = store.Create(2, 0);
                for (var i = 0; i < 20; i++)
                {
                    Append(queue, list, 17);
                    other.Append(Entry(i));
                    store.Flush();
                    if (i % 3 == 0)
                    {
                        store.Sync();
                        syncedCount = list.Count;
                    }
                }
            }
            catch (SimulatedCrashException)
            {
                disk.LosePower();
            }

            var again = new ConsumeQueueStore(disk, "cq", Small);
            var max = new QueueOffset(syncedCount);
            var isRestored = again.TryRestore(1, 0, new QueueOffset(0), max, out var restored, out var fault);
            Assert.True(isRestored, $"seed {seed}: {fault}");
            CheckSame(list.Take(syncedCount).ToList(), restored!);
        }
    }

    [Fact]
    public void A_deleted_queue_leaves_no_files_and_a_new_one_of_its_name_is_empty()
    {
        var disk = new SimulatedDisk(1);
        var store = new ConsumeQueueStore(disk, "cq", Small);
        Append(store.Create(1, 0), [], 120);
        Append(store.Create(1, 1), [], 5);
        store.Sync();

        store.Delete(1, 0);

        Assert.Equal(["1"], disk.List("cq/1"));
        Assert.Equal(new QueueOffset(0), store.Create(1, 0).Max);
    }

    [Fact]
    public void Files_of_queues_that_no_checkpoint_knows_are_deleted()
    {
        var disk = new SimulatedDisk(1);
        var store = new ConsumeQueueStore(disk, "cq", Small);
        Append(store.Create(1, 0), [], 5);
        Append(store.Create(3, 7), [], 5);
        store.Sync();

        var again = new ConsumeQueueStore(disk, "cq", Small);
        Assert.True(again.TryRestore(1, 0, new QueueOffset(0), new QueueOffset(5), out _, out _));
        again.DeleteUnknown();

        Assert.Equal(["0"], disk.List("cq/1"));
        Assert.Empty(disk.List("cq/3"));
    }

    [Fact]
    public void A_truncated_queue_goes_on_from_there()
    {
        var store = new ConsumeQueueStore(new SimulatedDisk(1), "cq", Small);
        var queue = store.Create(1, 0);
        var list = new List<ConsumeQueueEntry>();
        Append(queue, list, 130);

        queue.TruncateTo(new QueueOffset(55));
        list.RemoveRange(55, 75);
        Append(queue, list, 30);

        CheckSame(list, queue);
    }

    [Fact]
    public void An_entry_that_was_never_written_is_not_read_as_a_message()
    {
        var disk = new SimulatedDisk(1);
        var store = new ConsumeQueueStore(disk, "cq", Small);
        Append(store.Create(1, 0), [], 30);
        store.Sync();
        using (var file = disk.Open("cq/1/0/00000000000000000000", DiskOpenMode.ReadWrite))
        {
            file.Write(200, new byte[20]);
        }

        var again = new ConsumeQueueStore(disk, "cq", Small);
        Assert.True(again.TryRestore(1, 0, new QueueOffset(0), new QueueOffset(30), out var queue, out _));
        Assert.Throws<DamagedFileException>(() => queue.Read(new QueueOffset(5), new ConsumeQueueEntry[10]));
    }

    private static void Append(ConsumeQueue queue, List<ConsumeQueueEntry> list, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var entry = Entry(list.Count);
            list.Add(entry);
            queue.Append(entry);
        }
    }

    private static ConsumeQueueEntry Entry(int number) =>
        new(new LogPosition(number * 1000L), 100 + number, number * -7L);

    private static void CheckSame(List<ConsumeQueueEntry> list, ConsumeQueue queue)
    {
        var buffer = new ConsumeQueueEntry[list.Count + 10];
        Assert.Equal(new QueueOffset(list.Count), queue.Max);
        for (var from = 0; from < list.Count; from += 13)
        {
            var count = queue.Read(new QueueOffset(from), buffer);
            Assert.Equal(list.Skip(from), buffer.Take(count));
        }
    }
}
