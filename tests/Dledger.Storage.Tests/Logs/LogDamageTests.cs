using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Dledger.Testing.Disks;

namespace Dledger.Storage.Tests.Logs;

/// <summary>
/// I33: what was durable and is wrong now is reported, never cut off; what was being written is cut off.
/// </summary>
public sealed class LogDamageTests
{
    private const int FrameCount = 8;
    private const int BodyBytes = 200;

    private const int FrameBytes = 64 + 64 + BodyBytes;

    [Fact]
    public void A_flipped_bit_below_the_watermark_is_damage_and_above_it_the_end()
    {
        for (var frame = 0; frame < FrameCount; frame++)
        {
            foreach (var byteInFrame in new[] { 0, 5, 17, 30, 63, 64, 100, FrameBytes - 1 })
            {
                var bench = new LogBench(1);
                var watermark = WriteLogWithWatermarkInTheMiddle(bench);
                bench.Disk.Corrupt($"log/{new string('0', 20)}", 4096 + (frame * FrameBytes) + byteInFrame);

                var recovery = bench.Open();

                var corruptFrame = new LogPosition(frame * FrameBytes);
                if (corruptFrame < watermark)
                {
                    Assert.Null(recovery.Log);
                    Assert.Equal(corruptFrame, recovery.Damage!.Position);
                }
                else
                {
                    Assert.Null(recovery.Damage);
                    Assert.True(recovery.TornTail);
                    Assert.Equal(corruptFrame, recovery.Tail.End);
                }
            }
        }
    }

    [Fact]
    public void Damage_changes_nothing_on_disk()
    {
        var bench = new LogBench(1);
        WriteLogWithWatermarkInTheMiddle(bench);
        bench.Disk.Corrupt($"log/{new string('0', 20)}", 4096);
        var operations = bench.Disk.OperationCount;

        var first = bench.Open();
        var second = bench.Open();

        Assert.Equal(operations, bench.Disk.OperationCount);
        Assert.Equal(first.Damage, second.Damage);
    }

    [Fact]
    public void A_destroyed_segment_header_is_rebuilt_from_the_frames_around_it()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var bench = new LogBench(seed);
            var log = bench.OpenSound();
            log.Append(bench.Frames(log.Tail, new Term(1), 60));
            log.Sync();
            var all = LogBench.ReadAll(log);
            if (seed % 2 == 0)
            {
                log.WriteLogCheckpoint(log.DurableEnd);
            }

            log.Dispose();
            var names = bench.Disk.List("log").Where(name => char.IsDigit(name[0]) || name[0] == 'u').ToArray();
            var name = names[seed % names.Length];
            bench.Disk.Corrupt($"log/{name}", bench.Random.Next(512));

            var recovery = bench.Open();

            Assert.True(recovery.Damage is null, $"seed {seed}: {recovery.Damage}");
            Assert.Single(recovery.RebuiltHeaders);
            Assert.Equal(all, LogBench.ReadAll(recovery.Log!));
            recovery.Log!.Dispose();
            bench.Disk.LosePower(SectorLoss.All);
            Assert.Empty(bench.Open().RebuiltHeaders);
        }
    }

    [Fact]
    public void A_zeroed_segment_header_is_rebuilt_because_the_watermark_misses_it()
    {
        var bench = new LogBench(3);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 60));
        log.Sync();
        var all = LogBench.ReadAll(log);
        log.Dispose();
        var last = bench.Disk.List("log")[^1];
        using (var file = bench.Disk.Open($"log/{last}", DiskOpenMode.ReadWrite))
        {
            file.Write(0, new byte[512]);
            file.Sync();
        }

        var recovery = bench.Open();

        Assert.Null(recovery.Damage);
        Assert.Single(recovery.RebuiltHeaders);
        Assert.Equal(all, LogBench.ReadAll(recovery.Log!));
    }

    [Fact]
    public void A_segment_header_of_a_later_version_is_refused_and_left_as_it_is()
    {
        var bench = new LogBench(4);
        bench.OpenSound().Dispose();
        var path = $"log/{new string('0', 20)}";
        using (var file = bench.Disk.Open(path, DiskOpenMode.ReadWrite))
        {
            var sector = new byte[512];
            file.Read(0, sector);
            sector[12] = 9;
            BitConverter.TryWriteBytes(sector.AsSpan(8), Crc32C.Compute(sector.AsSpan(12)));
            file.Write(0, sector);
        }

        var recovery = bench.Open();

        Assert.Contains("version 9", recovery.Damage!.Reason);
        Assert.Null(recovery.Repair);
    }

    [Fact]
    public void A_file_cut_off_below_the_log_checkpoint_is_damage()
    {
        var bench = new LogBench(8);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 10));
        log.WriteLogCheckpoint(log.Sync());
        log.Dispose();
        using (var file = bench.Disk.Open($"log/{new string('0', 20)}", DiskOpenMode.ReadWrite))
        {
            file.SetLength(4096 + 600);
        }

        Assert.NotNull(bench.Open().Damage);
    }

    [Fact]
    public void A_missing_middle_segment_is_damage()
    {
        var bench = new LogBench(4);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 60));
        log.Dispose();
        var names = bench.Disk.List("log").ToArray();
        Assert.True(names.Length >= 3);
        bench.Disk.Delete($"log/{names[1]}");

        Assert.NotNull(bench.Open().Damage);
    }

    [Fact]
    public void A_log_of_another_cluster_or_storage_is_refused()
    {
        var bench = new LogBench(5);
        bench.OpenSound().Dispose();
        var other = LogBench.Identity with { StorageId = Guid.Empty };

        var recovery = CommitLog.Open(bench.Disk, "log", LogBench.Small, other, bench.Clock);

        Assert.Contains("belongs to", recovery.Damage!.Reason);
    }

    [Fact]
    public void A_valid_frame_too_far_behind_the_watermark_betrays_a_rotten_watermark()
    {
        var options = LogBench.Small with { SegmentBytes = 256 << 10 };
        var bench = new LogBench(6);
        var log = bench.OpenSound(options);
        log.Append(bench.Frames(log.Tail, new Term(1), 2));
        log.Dispose();
        var log2 = bench.OpenSound(options);
        log2.Append(bench.Frames(log2.Tail, new Term(1), 60));
        log2.Dispose();

        // The watermark slots rot away, and the first frames with them.
        bench.Disk.Corrupt($"log/{new string('0', 20)}", 1024);
        bench.Disk.Corrupt($"log/{new string('0', 20)}", 2048);
        bench.Disk.Corrupt($"log/{new string('0', 20)}", 4096);

        Assert.Contains("further behind the watermark", bench.Open(options).Damage!.Reason);
    }

    [Fact]
    public void One_rotten_checkpoint_falls_back_to_the_other_and_two_to_the_whole_log()
    {
        var bench = new LogBench(7);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 5));
        log.WriteLogCheckpoint(log.Sync());
        var older = log.DurableEnd;
        log.Append(bench.Frames(log.Tail, new Term(1), 5));
        log.WriteLogCheckpoint(log.Sync());
        var end = log.DurableEnd;
        log.Dispose();

        bench.Disk.Corrupt("log/checkpoint.a", 70);
        var one = bench.Open();
        one.Log!.Dispose();
        bench.Disk.Corrupt("log/checkpoint.b", 70);
        var none = bench.Open();

        Assert.Equal(end - older, one.VerifiedBytes);
        Assert.Equal(end - LogPosition.Zero, none.VerifiedBytes);
    }

    private static LogPosition WriteLogWithWatermarkInTheMiddle(LogBench bench)
    {
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), FrameCount / 2, BodyBytes));
        log.Sync();
        log.SyncWatermark();
        var watermark = log.DurableEnd;
        log.Append(bench.Frames(log.Tail, new Term(1), FrameCount / 2, BodyBytes));
        log.Sync();
        Assert.Equal(watermark.Value * 2, log.DurableEnd.Value);
        return watermark;
    }
}
