using Dledger.Broker.Checkpoints;
using Dledger.Broker.Timers;
using Dledger.Primitives;
using Dledger.Storage.Queues;
using Dledger.Testing.Disks;

namespace Dledger.Broker.Tests.Timers;

public sealed class TimerTableTests
{
    private const int TopicId = 7;

    [Fact]
    public void Many_messages_come_out_in_the_order_of_their_times_whatever_lies_on_disk()
    {
        var random = new Random(5);
        var timers = Make(memoryMax: 4_096);
        var expected = new List<TimerKey>();
        for (var i = 0; i < 100_000; i++)
        {
            var key = new TimerKey(1_000_000 + random.Next(50_000), 64L * (i + 1));
            expected.Add(key);
            timers.Add(new TimerEntry(key, 64, TopicId));
        }

        expected.Sort();
        Assert.True(timers.Runs.Count > 10);
        Assert.Equal(expected, Drain(timers));
        Assert.Equal(0, timers.Count);
        Assert.Equal(0UL, timers.ContentHash);
        Assert.Empty(timers.Runs);
        Assert.Null(timers.OldestNeeded);
    }

    [Fact]
    public void Memory_stays_within_what_ten_million_messages_may_take()
    {
        var timers = Make(memoryMax: 8_192);
        var random = new Random(6);
        const int count = 300_000;
        for (var i = 0; i < count; i++)
        {
            timers.Add(new TimerEntry(new TimerKey(random.Next(1 << 30), 64L * (i + 1)), 64, TopicId));
        }

        // What is bounded by itself aside, it must be less than 60 bytes for each, which makes 600 MiB of ten million.
        Assert.Equal(count, timers.Count);
        Assert.True(timers.Memory.Count <= 8_192);
        Assert.InRange(timers.MemoryBytes / (double)count, 0, 6);
    }

    [Fact]
    public void Messages_are_found_and_taken_out_wherever_they_lie()
    {
        var random = new Random(7);
        var timers = Make(memoryMax: 64);
        var waiting = new List<TimerEntry>();
        for (var i = 0; i < 20_000; i++)
        {
            if (waiting.Count > 0 && random.Next(5) < 2)
            {
                var at = random.Next(waiting.Count);
                var gone = waiting[at];
                waiting[at] = waiting[^1];
                waiting.RemoveAt(waiting.Count - 1);
                Assert.True(timers.TryFind(gone.Key, out var found));
                Assert.Equal(gone, found);
                Assert.True(timers.TryRemove(gone.Key, out found));
                Assert.Equal(gone, found);
                Assert.False(timers.TryFind(gone.Key, out _));
                Assert.False(timers.TryRemove(gone.Key, out _));
                continue;
            }

            var entry = new TimerEntry(new TimerKey(random.Next(500), 8L * (i + 1)), 8 * random.Next(1, 1_000), random.Next(1, 4));
            waiting.Add(entry);
            timers.Add(entry);
        }

        Assert.Equal(waiting.Count, timers.Count);
        Assert.Equal(waiting.Count(entry => entry.TopicId == 2), timers.CountOf(2));
        Assert.Equal(waiting.Select(entry => entry.Key).Order(), Drain(timers));
    }

    [Fact]
    public void What_waits_has_one_hash_wherever_it_lies()
    {
        var few = Make(memoryMax: 16);
        var many = Make(memoryMax: 4_096);
        for (var i = 0; i < 1_000; i++)
        {
            var entry = new TimerEntry(new TimerKey((i * 37) % 91, 8L * (i + 1)), 8, TopicId);
            few.Add(entry);
            many.Add(entry);
        }

        foreach (var gone in new[] { 10, 500, 999 })
        {
            var key = new TimerKey((gone * 37) % 91, 8L * (gone + 1));
            Assert.True(few.TryRemove(key, out _) && many.TryRemove(key, out _));
        }

        Assert.NotEqual(few.Runs.Count, many.Runs.Count);
        Assert.Equal(TimerWriter.WriteContent(many).ToArray(), TimerWriter.WriteContent(few).ToArray());
    }

    [Fact]
    public void A_table_comes_back_from_a_checkpoint_as_it_was()
    {
        var disk = new SimulatedDisk(seed: 1);
        var queues = new ConsumeQueueStore(disk, "queues", new ConsumeQueueOptions());
        var timers = new TimerTable(queues, 64);
        for (var i = 0; i < 2_000; i++)
        {
            timers.Add(new TimerEntry(new TimerKey((i * 37) % 911, 8L * (i + 1)), 8, TopicId));
        }

        for (var i = 0; i < 2_000; i += 3)
        {
            Assert.True(timers.TryRemove(new TimerKey((i * 37) % 911, 8L * (i + 1)), out _));
        }

        var part = TimerWriter.Write(timers).ToArray();
        queues.Sync();
        var again = new TimerTable(new ConsumeQueueStore(disk, "queues", new ConsumeQueueOptions()), 64);
        Assert.True(
            TimerReader.TryRead(part, new ConsumeQueueStore(disk, "queues", new ConsumeQueueOptions()), again, out var fault), fault);

        Assert.Equal(part, TimerWriter.Write(again).ToArray());
        Assert.Equal(timers.OldestNeeded, again.OldestNeeded);
        Assert.Equal(Drain(timers), Drain(again));
    }

    [Fact]
    public void A_checkpoint_whose_runs_have_rotted_is_refused()
    {
        var disk = new SimulatedDisk(seed: 1);
        var queues = new ConsumeQueueStore(disk, "queues", new ConsumeQueueOptions());
        var timers = new TimerTable(queues, 64);
        for (var i = 0; i < 200; i++)
        {
            timers.Add(new TimerEntry(new TimerKey(i, 8L * (i + 1)), 8, TopicId));
        }

        var part = TimerWriter.Write(timers).ToArray();
        queues.Sync();
        var name = disk.List("queues/0/0")[0];
        using (var file = disk.Open($"queues/0/0/{name}", Dledger.Storage.Disks.DiskOpenMode.ReadWrite))
        {
            file.Write(8, [3, 0, 0, 0]);
        }

        var again = new ConsumeQueueStore(disk, "queues", new ConsumeQueueOptions());
        Assert.False(TimerReader.TryRead(part, again, new TimerTable(again, 64), out var fault));
        Assert.Contains("delayed messages", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void The_oldest_record_that_is_needed_is_known_to_its_chunk_of_the_log()
    {
        var timers = Make(memoryMax: 4);
        const long chunk = 1L << BrokerOptions.TimerChunkBitsDefault;
        for (var i = 0; i < 10; i++)
        {
            timers.Add(new TimerEntry(new TimerKey(100 - i, (i * chunk) + 8), 8, TopicId));
        }

        Assert.Equal(LogPosition.Zero, timers.OldestNeeded);
        Assert.True(timers.TryRemove(new TimerKey(100, 8), out _));
        Assert.True(timers.TryRemove(new TimerKey(99, chunk + 8), out _));
        Assert.Equal(new LogPosition(2 * chunk), timers.OldestNeeded);
        Assert.Equal(
            [2, 3], timers.CollectBelow(new LogPosition(4 * chunk), 10).Select(entry => entry.Key.Position / chunk).Order());
    }

    private static TimerTable Make(int memoryMax) =>
        new(new ConsumeQueueStore(new SimulatedDisk(seed: 1), "queues", new ConsumeQueueOptions()), memoryMax);

    // Page by page, as the leader does it.
    private static List<TimerKey> Drain(TimerTable timers)
    {
        var drained = new List<TimerKey>();
        var page = new List<TimerEntry>();
        while (timers.Count > 0)
        {
            page.Clear();
            timers.Collect(TimerKey.First, long.MaxValue, 300, page);
            Assert.Equal(page[0].Key, timers.First);
            foreach (var entry in page)
            {
                drained.Add(entry.Key);
                Assert.True(timers.TryRemove(entry.Key, out _));
            }
        }

        return drained;
    }
}
