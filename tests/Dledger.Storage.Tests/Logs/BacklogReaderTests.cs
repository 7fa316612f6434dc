using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;

namespace Dledger.Storage.Tests.Logs;

/// <summary>What lies well behind the end of a log, in chunks.</summary>
public sealed class BacklogReaderTests
{
    private static readonly CommitLogOptions Options = LogBench.Small with { SegmentBytes = 1 << 20 };

    [Fact]
    public void Reads_of_any_size_at_any_place_give_the_bytes_of_the_log()
    {
        const int seed = 4711;
        var (bench, log) = Written(seed, segments: 5);
        var all = LogBench.ReadAll(log);
        for (var i = 0; i < 4_000; i++)
        {
            var position = bench.Random.NextInt64(-100, all.Length + 100);
            var destination = new byte[bench.Random.Next(3) == 0 ? bench.Random.Next(800_000) : bench.Random.Next(3_000)];
            var settled = new LogPosition(bench.Random.NextInt64(0, all.Length + 1));

            var read = log.ReadBacklog(new LogPosition(Math.Max(0, position)), destination, settled);

            var at = (int)Math.Min(Math.Max(0, position), all.Length);
            var expected = all.AsSpan(at, Math.Min(destination.Length, all.Length - at));
            Assert.True(expected.SequenceEqual(destination.AsSpan(0, read)), $"seed {seed}, read {i} at {position}");
        }
    }

    [Fact]
    public void Neighbours_are_read_from_the_disk_once()
    {
        var (bench, log) = Written(1, segments: 2);
        var reads = CountReads(bench);
        var destination = new byte[BacklogReader.LargeReadBytes];

        for (var at = 0; at < BacklogReader.ChunkBytes; at += destination.Length)
        {
            Assert.Equal(destination.Length, log.ReadBacklog(new LogPosition(at), destination, log.DurableEnd));
        }

        Assert.Equal(1, reads());
    }

    [Fact]
    public void One_small_read_takes_no_chunk_and_several_of_the_same_do()
    {
        var (bench, log) = Written(1, segments: 2);
        var sizes = new List<int>();
        bench.Disk.ReadFails = (_, _, length) =>
        {
            sizes.Add(length);
            return false;
        };
        Span<byte> destination = stackalloc byte[1_000];

        for (var i = 0; i < 8; i++)
        {
            log.ReadBacklog(new LogPosition(i * 1_000), destination, log.DurableEnd);
        }

        Assert.Equal([1_000, 1_000, 1_000, BacklogReader.ChunkBytes], sizes);
    }

    [Fact]
    public void What_is_not_settled_is_read_from_the_file_each_time()
    {
        var (bench, log) = Written(1, segments: 1);
        var half = new LogPosition(BacklogReader.ChunkBytes - 1);
        var reads = CountReads(bench);
        var destination = new byte[20_000];

        log.ReadBacklog(LogPosition.Zero, destination, half);
        log.ReadBacklog(LogPosition.Zero, destination, half);

        Assert.Equal(2, reads());
    }

    [Fact]
    public void A_place_that_cannot_be_read_does_not_hide_its_neighbours()
    {
        var (bench, log) = Written(1, segments: 2);
        var all = LogBench.ReadAll(log);
        bench.Disk.ReadFails = (_, offset, length) => offset <= 300_000 && offset + length > 300_000;
        var destination = new byte[20_000];

        Assert.Equal(destination.Length, log.ReadBacklog(new LogPosition(100), destination, log.DurableEnd));

        Assert.True(all.AsSpan(100, destination.Length).SequenceEqual(destination));
        Assert.Throws<StorageFaultException>(
            () => log.ReadBacklog(new LogPosition(300_000 - 4096), new byte[20_000], log.DurableEnd));
    }

    [Fact]
    public void What_was_forgotten_is_read_from_the_disk_again()
    {
        var (bench, log) = Written(1, segments: 2);
        var sound = Read(log);
        bench.Disk.Corrupt($"log/{new string('0', 20)}", 4096 + 100);
        Assert.Equal(sound, Read(log));

        log.ForgetBacklog();

        var rotten = Read(log);
        Assert.NotEqual(sound, rotten);
        Assert.Equal(sound[100] ^ 1, rotten[100]);
    }

    [Fact]
    public void A_repaired_range_is_seen_at_once()
    {
        var (bench, log) = Written(1, segments: 2);
        var sound = Read(log);
        bench.Disk.Corrupt($"log/{new string('0', 20)}", 4096 + 100);
        log.ForgetBacklog();
        Assert.NotEqual(sound, Read(log));
        var scrubber = log.CreateScrubber();
        DamagedRange? damage = null;
        while (damage is null)
        {
            damage = scrubber.Step().Damage;
        }

        var frames = sound.AsSpan((int)damage.From.Value, (int)(damage.To!.Value - damage.From));
        Assert.Null(log.RepairRange(damage, frames, out _));

        Assert.Equal(sound, Read(log));
    }

    private static byte[] Read(CommitLog log)
    {
        var bytes = new byte[BacklogReader.LargeReadBytes];
        Assert.Equal(bytes.Length, log.ReadBacklog(LogPosition.Zero, bytes, log.DurableEnd));
        return bytes;
    }

    private static Func<int> CountReads(LogBench bench)
    {
        var count = 0;
        bench.Disk.ReadFails = (_, _, _) =>
        {
            count++;
            return false;
        };
        return () => count;
    }

    private static (LogBench Bench, CommitLog Log) Written(int seed, int segments)
    {
        var bench = new LogBench(seed);
        var log = bench.OpenSound(Options);
        while (log.SegmentCount < segments || log.WrittenEnd - log.LastSegmentBase < 600_000)
        {
            log.Append(bench.Frames(log.Tail, new Term(1), 20));
            log.Sync();
        }

        return (bench, log);
    }
}
