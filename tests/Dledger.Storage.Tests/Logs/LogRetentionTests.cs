using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Dledger.Testing.Disks;

namespace Dledger.Storage.Tests.Logs;

/// <summary>I29 and section 2.21: the log is given up in whole segments, and never more than is allowed.</summary>
public sealed class LogRetentionTests
{
    private static readonly LogPosition Everything = new(long.MaxValue);

    [Fact]
    public void The_start_moves_to_the_base_of_the_segment_that_holds_the_position()
    {
        var bench = new LogBench(1);
        var log = Fill(bench, 60);
        var to = log.Tail.End + -100;
        var all = LogBench.ReadAll(log);

        var start = log.AdvanceStart(to, Everything);

        Assert.True(start > LogPosition.Zero && start <= to);
        Assert.Equal(start, log.Start);
        Assert.Equal(all[(int)start.Value..], LogBench.ReadAll(log));
        Assert.Equal(0, log.Read(start + -1, new byte[8]));
        Assert.False(log.TryReadFrameSummary(LogPosition.Zero, out _));
        Assert.True(log.TryReadChain(start, out _));
        Assert.False(log.TryReadChain(start + -8, out _));
    }

    [Fact]
    public void Neither_a_checkpoint_nor_a_pin_is_passed()
    {
        var bench = new LogBench(2);
        var log = Fill(bench, 90);
        Assert.True(log.SegmentCount >= 4);

        Assert.Equal(LogPosition.Zero, log.AdvanceStart(log.Tail.End, new LogPosition(100)));
        var middle = log.AdvanceStart(log.Tail.End, new LogPosition(log.Tail.End.Value / 2));
        Assert.True(middle > LogPosition.Zero && middle.Value <= log.Tail.End.Value / 2);
        var pin = log.Pin();
        Assert.Equal(middle, log.AdvanceStart(log.Tail.End, Everything));
        pin.Dispose();
        Assert.True(log.AdvanceStart(log.Tail.End, Everything) > middle);
    }

    [Fact]
    public void A_restart_finds_the_start_and_the_terms_behind_it()
    {
        var bench = new LogBench(3);
        var log = Fill(bench, 40);
        log.Append(bench.Frames(log.Tail, new Term(4), 40));
        var start = log.AdvanceStart(log.Tail.End, Everything);
        log.Dispose();
        bench.Disk.LosePower(SectorLoss.All);

        var recovery = bench.Open();

        Assert.Null(recovery.Damage);
        Assert.Equal(start, recovery.Log!.Start);
        Assert.Equal(start, recovery.Epochs.Epochs[0].Start);
        Assert.Equal(new Term(4), recovery.Epochs.TermBefore(recovery.Tail.End));
        Assert.Equal(recovery.Log.SegmentCount, bench.Disk.List("log").Count(name => !name.StartsWith('s')));
    }

    [Fact]
    public void Expired_segments_become_spares_up_to_the_number_wanted_and_the_rest_is_deleted()
    {
        var bench = new LogBench(4);
        var log = Fill(bench, 120);
        using var preparer = log.CreatePreparer();
        var before = log.SegmentCount;
        log.AdvanceStart(log.Tail.End, Everything);
        var written = bench.Disk.WrittenBytes;
        while (preparer.Step())
        {
            // Until nothing is left to do.
        }

        Assert.True(before >= 5);
        Assert.Equal(1, log.SegmentCount);
        Assert.Equal(["0", "reserve", "spare", "start"], bench.Disk.List("log").Select(KindOf).Order());
        Assert.True(bench.Disk.WrittenBytes - written < 32 << 10, "the spare was not written with zeros again");
    }

    [Fact]
    public void Old_bytes_of_a_recycled_file_never_pass_for_the_log_or_for_damage()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var bench = new LogBench(seed);
            var log = Fill(bench, 60);
            for (var round = 0; round < 4; round++)
            {
                log.AdvanceStart(log.Tail.End, Everything);
                while (log.RetireExpired())
                {
                    // All of them.
                }

                log.Append(bench.Frames(log.Tail, new Term(1), 25));
                log.Sync();
            }

            log.Append(bench.Frames(log.Tail, new Term(1), 2));
            var (durable, written) = (log.DurableEnd, log.Tail.End);
            bench.Disk.LosePower((SectorLoss)(seed % 6));

            var recovery = bench.Open();

            Assert.True(recovery.Damage is null, $"seed {seed}: {recovery.Damage}");
            Assert.True(recovery.Tail.End >= durable && recovery.Tail.End <= written, $"seed {seed}");
        }
    }

    [Fact]
    public void A_file_that_a_read_holds_is_not_recycled()
    {
        var bench = new LogBench(5);
        var log = Fill(bench, 60);
        var segment = new Segment(bench.Disk.Open("log/" + new string('0', 20), DiskOpenMode.Read), "", default);
        Assert.True(segment.TryAcquire());

        Assert.False(segment.TryTake());
        segment.Release();

        Assert.True(segment.TryTake());
        Assert.False(segment.TryAcquire());
        Assert.True(log.SegmentCount > 1);
    }

    [Fact]
    public void A_missing_first_segment_is_damage_and_an_expired_one_is_not()
    {
        var bench = new LogBench(6);
        var log = Fill(bench, 90);
        var start = log.AdvanceStart(new LogPosition(log.Tail.End.Value / 2), Everything);
        log.Dispose();
        bench.Disk.Delete("log/" + new string('0', 20));
        Assert.Null(bench.Open().Damage);

        var name = start.Value.ToString("D20", System.Globalization.CultureInfo.InvariantCulture);
        Rename(bench, start, name);
        bench.Disk.Delete("log/" + name);

        Assert.Equal(start, bench.Open().Damage!.Position);
    }

    [Fact]
    public void A_rotten_copy_of_the_start_has_its_twin()
    {
        for (var copy = 0; copy < 2; copy++)
        {
            var bench = new LogBench(7);
            var log = Fill(bench, 90);
            log.AdvanceStart(new LogPosition(log.Tail.End.Value / 2), Everything);
            var start = log.AdvanceStart(log.Tail.End, Everything);
            log.Dispose();
            bench.Open().Log!.Dispose();
            for (var slot = copy; slot < 4; slot += 2)
            {
                bench.Disk.Corrupt("log/start", (slot * 4096) + 70);
            }

            Assert.Equal(start, bench.Open().Log!.Start);
        }
    }

    private static void Rename(LogBench bench, LogPosition @base, string name)
    {
        using var log = bench.OpenSound();
        Assert.Equal(@base, log.Start);
        while (log.TryNameSegment())
        {
            // Until every segment has its name.
        }

        Assert.True(bench.Disk.Exists("log/" + name));
    }

    private static CommitLog Fill(LogBench bench, int frameCount)
    {
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), frameCount));
        log.Sync();
        return log;
    }

    private static string KindOf(string name) => char.IsDigit(name[0]) ? "0" : name.Split('-')[0];
}
