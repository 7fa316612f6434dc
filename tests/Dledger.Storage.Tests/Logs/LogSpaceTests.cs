using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Dledger.Testing.Disks;

namespace Dledger.Storage.Tests.Logs;

/// <summary>Section 2.22: a full disk stops the growth of the log and nothing else.</summary>
public sealed class LogSpaceTests
{
    private const long SegmentFileBytes = 4096 + (16 << 10);

    [Fact]
    public void A_roll_without_space_writes_what_fits_and_goes_on_when_space_is_back()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var bench = new LogBench(seed);
            var log = bench.OpenSound();
            bench.Disk.CapacityBytes = SegmentFileBytes + 1000;
            var frames = bench.Frames(log.Tail, new Term(1), 60);

            var written = log.Append(frames);
            Assert.InRange(written, 5, 59);
            Assert.True(log.IsSpaceLow);
            Assert.Equal(0, log.Append(frames[written..]));
            log.Sync();
            Assert.Equal(LogBench.HeaderOf(frames[written - 1].Span).End, log.DurableEnd);
            Assert.Equal([new string('0', 20)], bench.Disk.List("log"));

            if (seed % 2 == 0)
            {
                bench.Disk.CapacityBytes = long.MaxValue;
            }
            else
            {
                log.Dispose();
                bench.Disk.LosePower((SectorLoss)(seed % 6));
                log = bench.OpenSound();
                bench.Disk.CapacityBytes = long.MaxValue;
            }

            Assert.Equal(60 - written, log.Append(frames[written..]));
            Assert.False(log.IsSpaceLow);
            log.Sync();
            Assert.Equal(frames.SelectMany(frame => frame.ToArray()), LogBench.ReadAll(log));
        }
    }

    [Fact]
    public void A_write_that_finds_no_space_is_made_again_once_the_reserve_is_freed()
    {
        var bench = new LogBench(1);
        var log = bench.OpenSound();
        using var preparer = log.CreatePreparer();
        Prepare(preparer);
        Assert.True(bench.Disk.Exists("log/reserve"));
        bench.Disk.WriteFindsNoSpace = path => path.Length > 15 && bench.Disk.Exists("log/reserve");
        var frames = bench.Frames(log.Tail, new Term(1), 3);

        Assert.Equal(3, log.Append(frames));
        log.Sync();

        Assert.True(log.IsSpaceLow);
        Assert.Null(log.Fault);
        Assert.Equal(frames.SelectMany(frame => frame.ToArray()), LogBench.ReadAll(log));
        bench.Disk.WriteFindsNoSpace = null;
        Prepare(preparer);
        Assert.True(bench.Disk.Exists("log/reserve"));
        Assert.False(log.IsSpaceLow);
    }

    [Fact]
    public void Without_a_reserve_such_a_write_ends_the_log_and_half_of_it_is_never_seen()
    {
        var bench = new LogBench(2);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 3));
        var end = log.Sync();
        bench.Disk.WriteFindsNoSpace = _ => true;

        Assert.Throws<StorageFaultException>(() => log.Append(bench.Frames(log.Tail, new Term(1), 2)));
        Assert.Throws<StorageFaultException>(() => log.Sync());
        Assert.Equal(end, log.WrittenEnd);
        log.Dispose();
        bench.Disk.RestartProcess();

        Assert.True(bench.OpenSound().Tail.End >= end);
    }

    [Fact]
    public void A_sync_without_space_is_never_tried_again()
    {
        var bench = new LogBench(3);
        var log = bench.OpenSound();
        using var preparer = log.CreatePreparer();
        Prepare(preparer);
        log.Append(bench.Frames(log.Tail, new Term(1), 3));
        bench.Disk.SyncFails = _ => true;

        Assert.Throws<StorageFaultException>(() => log.Sync());

        Assert.NotNull(log.Fault);
        Assert.True(bench.Disk.Exists("log/reserve"));
    }

    [Fact]
    public void A_full_disk_can_be_cleaned()
    {
        var bench = new LogBench(4);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 90));
        log.Sync();
        using var preparer = log.CreatePreparer();
        Prepare(preparer);
        bench.Disk.CapacityBytes = bench.Disk.List("log").Sum(name => LengthOf(bench, name));
        var frames = bench.Frames(log.Tail, new Term(1), 90);
        var written = log.Append(frames);
        Assert.True(written < 90 && log.IsSpaceLow);

        log.Sync();
        log.AdvanceStart(log.Tail.End, new LogPosition(long.MaxValue));
        Prepare(preparer);

        Assert.True(log.Append(frames[written..]) > 0);
        Assert.Null(log.Fault);
    }

    [Fact]
    public void Levels_rise_at_their_marks_and_fall_a_little_below()
    {
        var levels = new DiskSpaceLevels();
        var level = DiskSpaceLevel.Normal;
        var seen = new List<DiskSpaceLevel>();
        foreach (var used in new[] { 74.9, 75, 84, 85, 90, 96, 97, 96.5, 95, 89.5, 88, 84.5, 83, 74.5, 73 })
        {
            level = levels.Next(level, new DiskSpace(100_000, (long)Math.Round((100 - used) * 1000)));
            seen.Add(level);
        }

        Assert.Equal(
            [
                DiskSpaceLevel.Normal, DiskSpaceLevel.Clean, DiskSpaceLevel.Clean, DiskSpaceLevel.Force,
                DiskSpaceLevel.RefuseProduce, DiskSpaceLevel.RefuseProduce, DiskSpaceLevel.StopAck,
                DiskSpaceLevel.StopAck, DiskSpaceLevel.RefuseProduce, DiskSpaceLevel.RefuseProduce,
                DiskSpaceLevel.Force, DiskSpaceLevel.Force, DiskSpaceLevel.Clean, DiskSpaceLevel.Clean,
                DiskSpaceLevel.Normal,
            ],
            seen);
        Assert.Equal(DiskSpaceLevel.Normal, levels.Next(DiskSpaceLevel.StopAck, default));
    }

    private static void Prepare(SegmentPreparer preparer)
    {
        while (preparer.Step())
        {
            // Until nothing is left to do, or space is missing.
        }
    }

    private static long LengthOf(LogBench bench, string name)
    {
        using var file = bench.Disk.Open("log/" + name, DiskOpenMode.Read);
        return file.Length;
    }
}
