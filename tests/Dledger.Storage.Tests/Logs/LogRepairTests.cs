using Dledger.Primitives;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;
using Dledger.Testing.Disks;
using Xunit.Abstractions;

namespace Dledger.Storage.Tests.Logs;

/// <summary>Section 2.11: damage is listed with both sides, and only the bytes that were there mend it.</summary>
public sealed class LogRepairTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_damage_that_a_disk_does_below_the_watermark_is_mended_with_the_bytes_of_a_peer()
    {
        const int firstSeed = 5000;
        output.WriteLine($"seeds from {firstSeed}");
        var rangeCount = 0;
        var headerCount = 0;
        for (var seed = firstSeed; seed < firstSeed + 300; seed++)
        {
            try
            {
                var (bench, all) = WriteLog(seed);
                for (var damage = bench.Random.Next(1, 5); damage > 0; damage--)
                {
                    var segments = bench.Disk.List("log").Where(name => char.IsDigit(name[0])).ToArray();
                    bench.Disk.Rot("log/" + segments[bench.Random.Next(segments.Length)]);
                }

                var (log, ranges) = Mend(bench, all);
                Assert.Equal(all, LogBench.ReadAll(log.Log!));
                rangeCount += ranges;
                headerCount += log.RebuiltHeaders.Count;
            }
            catch (Exception fault)
            {
                throw new InvalidOperationException($"seed {seed}", fault);
            }
        }

        output.WriteLine($"{rangeCount} ranges, {headerCount} headers");
        Assert.True(rangeCount > 200, $"{rangeCount} ranges");
        Assert.True(headerCount > 5, $"{headerCount} headers");
    }

    [Fact]
    public void The_ranges_name_all_damage_and_both_sides_of_it()
    {
        var bench = new LogBench(1);
        var log = bench.OpenSound(LogBench.Small with { SegmentBytes = 64 << 10 });
        var frames = bench.Frames(log.Tail, new Term(1), 20, 200);
        log.Append(frames);
        log.Dispose();
        foreach (var frame in new[] { 4, 5, 12 })
        {
            bench.Disk.Corrupt($"log/{new string('0', 20)}", 4096 + HeaderOf(frames, frame).Base.Value + 100);
        }

        var recovery = bench.Open();

        Assert.Null(recovery.Log);
        Assert.Equal(2, recovery.DamagedRanges.Count);
        AssertRange(recovery.DamagedRanges[0], frames, 4, 6);
        AssertRange(recovery.DamagedRanges[1], frames, 12, 13);
        Assert.Equal(recovery.Damage!.Position, recovery.DamagedRanges[0].From);
    }

    [Fact]
    public void Bytes_that_do_not_fit_are_refused_and_change_nothing()
    {
        var (bench, all) = WriteLog(2);
        bench.Disk.Corrupt($"log/{new string('0', 20)}", 4096 + 100);
        var repair = bench.Open().Repair!;
        var range = repair.Ranges[0];
        var right = all.AsSpan(0, (int)range.To!.Value.Value).ToArray();
        var operations = bench.Disk.OperationCount;

        var flipped = (byte[])right.Clone();
        flipped[^1] ^= 1;
        Assert.Contains("payload", repair.RepairRange(range.From, flipped));
        Assert.Contains("there", repair.RepairRange(range.From, right.AsSpan(0, right.Length - 8)));
        Assert.Contains("goes on", repair.RepairRange(range.From, all.AsSpan(0, NextEnd(all, right.Length))));
        Assert.Contains("no damaged range", repair.RepairRange(range.From + 8, right));
        Assert.Contains("no frames", repair.RepairRange(range.From, []));
        var other = bench.Frame(range.Before!.Value, new Term(1), right.Length - 128);
        Assert.Equal(right.Length, other.Length);
        Assert.Contains("continues", repair.RepairRange(range.From, other));

        Assert.Equal(operations, bench.Disk.OperationCount);
        Assert.Null(repair.RepairRange(range.From, right));
        Assert.True(repair.IsComplete);
        Assert.Equal(all, LogBench.ReadAll(bench.Open().Log!));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_missing_segment_is_mended(int index)
    {
        var (bench, all) = WriteLog(3);
        var names = bench.Disk.List("log").Where(name => char.IsDigit(name[0])).ToArray();
        bench.Disk.Delete("log/" + names[index]);

        var (recovery, ranges) = Mend(bench, all);

        Assert.True(ranges > 1, "in more than one piece");
        Assert.Equal(all, LogBench.ReadAll(recovery.Log!));
    }

    [Fact]
    public void Sectors_that_cannot_be_read_are_damage_and_no_end_of_the_start()
    {
        var (bench, _) = WriteLog(4);
        var path = $"log/{new string('0', 20)}";
        bench.Disk.ReadFails = (name, offset, length) => name == path && offset <= 9000 && offset + length > 9000;

        var recovery = bench.Open();

        var range = Assert.Single(recovery.DamagedRanges);
        Assert.True(range.From.Value <= 9000 - 4096 && range.To!.Value.Value > 9000 - 4096, $"{range}");
    }

    [Fact]
    public void Frames_below_the_checkpoint_are_only_read_when_all_is_to_be_verified()
    {
        var (bench, _) = WriteLog(5);
        var log = bench.OpenSound();
        log.WriteLogCheckpoint(log.DurableEnd);
        log.Dispose();
        bench.Disk.Corrupt($"log/{new string('0', 20)}", 4096 + 100);

        Assert.Null(bench.Open().Damage);
        var all = CommitLog.Open(
            bench.Disk, "log", LogBench.Small, LogBench.Identity, bench.Clock, createIfEmpty: false, verifyAll: true);

        Assert.Equal(LogPosition.Zero, all.Damage!.Position);
    }

    [Fact]
    public void A_write_that_went_astray_is_found_in_both_places()
    {
        var bench = new LogBench(6);
        var log = bench.OpenSound(LogBench.Small with { SegmentBytes = 64 << 10 });
        log.Append(bench.Frames(log.Tail, new Term(1), 20, 200));
        log.Sync();
        var astray = log.Tail.End;
        bench.Disk.MisdirectNextWrite = ($"log/{new string('0', 20)}", -3280);
        log.Append(bench.Frames(log.Tail, new Term(1), 3, 200));
        log.Sync();
        log.SyncWatermark();

        var recovery = bench.Open();

        Assert.Equal(2, recovery.DamagedRanges.Count);
        Assert.True(recovery.DamagedRanges[0].To < astray);
        Assert.Equal(astray, recovery.DamagedRanges[1].From);
        Assert.Null(recovery.DamagedRanges[1].To);
        Assert.Equal(astray + (3 * 328), recovery.DamagedRanges[1].Minimum);
    }

    [Fact]
    public void A_repair_that_is_cut_off_leaves_the_rest_of_the_damage()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var (bench, all) = WriteLog(seed);
            bench.Disk.Delete("log/" + bench.Disk.List("log").Where(name => char.IsDigit(name[0])).ElementAt(1));
            bench.Disk.SyncDirectory("log");
            bench.Disk.CrashAtOperation = bench.Disk.OperationCount + 1 + (seed % 20);
            try
            {
                Mend(bench, all);
            }
            catch (SimulatedCrashException)
            {
                bench.Disk.LosePower((SectorLoss)(seed % 6));
            }

            bench.Disk.CrashAtOperation = null;
            Assert.Equal(all, LogBench.ReadAll(Mend(bench, all).Recovery.Log!));
        }
    }

    /// <summary>What a driver does: fetches each range in small pieces and opens the log again.</summary>
    private static (CommitLogRecovery Recovery, int RangeCount) Mend(LogBench bench, byte[] peer)
    {
        var rangeCount = 0;
        while (true)
        {
            var recovery = CommitLog.Open(
                bench.Disk, "log", LogBench.Small, LogBench.Identity, bench.Clock, createIfEmpty: false, verifyAll: true);
            if (recovery.Damage is null)
            {
                return (recovery, rangeCount);
            }

            var repair = recovery.Repair;
            Assert.True(repair is not null, $"{recovery.Damage}");
            while (!repair.IsComplete)
            {
                Assert.True(rangeCount++ < 1000, $"it comes to an end: {repair.Ranges[0]}");
                var range = repair.Ranges[0];
                var from = (int)range.From.Value;
                var end = NextEnd(peer, from);
                while (end < (range.To?.Value ?? peer.Length) && end - from < 2000)
                {
                    end = NextEnd(peer, end);
                }

                var fault = repair.RepairRange(range.From, peer.AsSpan(from..end));
                Assert.True(fault is null, fault);
            }
        }
    }

    private static int NextEnd(byte[] log, int at) =>
        (int)LogBench.HeaderOf(log.AsSpan(at, FrameHeader.Size)).End.Value;

    private static (LogBench Bench, byte[] All) WriteLog(int seed)
    {
        var bench = new LogBench(seed);
        var log = bench.OpenSound();
        using var preparer = log.CreatePreparer();
        for (var round = 0; round < 6; round++)
        {
            log.Append(bench.Frames(log.Tail, new Term(1 + (round / 2)), 12));
            while (preparer.Step())
            {
                // Spares and names.
            }
        }

        log.Sync();
        var all = LogBench.ReadAll(log);
        log.Dispose();
        return (bench, all);
    }

    private static FrameHeader HeaderOf(List<ReadOnlyMemory<byte>> frames, int index) =>
        LogBench.HeaderOf(frames[index].Span);

    private static void AssertRange(DamagedRange range, List<ReadOnlyMemory<byte>> frames, int first, int next)
    {
        Assert.Equal(HeaderOf(frames, first).Base, range.From);
        Assert.Equal(HeaderOf(frames, next).Base, range.To);
        Assert.Equal(HeaderOf(frames, first - 1).Tail.HeaderCrc, range.Before!.Value.HeaderCrc);
        Assert.Equal(HeaderOf(frames, next).PreviousHeaderCrc, range.After!.Value.HeaderCrc);
    }
}
