using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;

namespace Dledger.Storage.Tests.Logs;

public sealed class CommitLogTests
{
    private static readonly Term One = new(1);
    private static readonly Term Two = new(2);

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1_000, 2)]
    [InlineData(1 << 20, 0)]
    public void Appends_of_the_given_size_and_more_go_past_the_page_cache(int bytesMin, int expected)
    {
        var bench = new LogBench(1);
        var log = bench.OpenSound(LogBench.Small with { UncachedBytesMin = bytesMin });

        log.Append([bench.Frame(log.Tail, One, bodyBytes: 100)]);
        log.Append([bench.Frame(log.Tail, One, bodyBytes: 2_000)]);
        log.Append(bench.Frames(log.Tail, One, count: 2, bodyBytes: 600));

        Assert.Equal(expected, bench.Disk.UncachedWriteCount);
    }

    [Fact]
    public void A_fresh_directory_becomes_an_empty_log_that_survives_a_power_loss()
    {
        var bench = new LogBench(1);
        var first = bench.Open();
        Assert.True(first.Created);
        Assert.Equal(LogPosition.Zero, first.Log!.WrittenEnd);
        Assert.Equal(ChainTail.Genesis(LogBench.Identity.Seed), first.Tail);

        bench.Disk.LosePower();

        var second = bench.Open(createIfEmpty: false);
        Assert.Null(second.Damage);
        Assert.False(second.Created);
    }

    [Fact]
    public void An_empty_directory_of_a_node_that_took_part_before_is_damage_and_not_a_new_log()
    {
        var bench = new LogBench(1);

        var recovery = bench.Open(createIfEmpty: false);

        Assert.Null(recovery.Log);
        Assert.Equal(LogPosition.Zero, recovery.Damage!.Position);
        Assert.Empty(bench.Disk.List(LogBench.Directory));
    }

    [Fact]
    public void Appended_frames_are_read_back_over_segment_borders_and_after_a_restart()
    {
        var bench = new LogBench(2);
        var log = bench.OpenSound();
        var frames = bench.Frames(log.Tail, One, 100);

        log.Append(frames);
        log.Sync();

        var expected = frames.SelectMany(frame => frame.ToArray()).ToArray();
        Assert.True(log.SegmentCount > 2);
        Assert.Equal(log.WrittenEnd, log.DurableEnd);
        Assert.Equal(expected, LogBench.ReadAll(log));
        log.Dispose();
        bench.Disk.LosePower();
        var again = bench.OpenSound();
        Assert.Equal(expected, LogBench.ReadAll(again));
    }

    [Fact]
    public void Reads_end_at_the_written_end_and_are_empty_outside_the_log()
    {
        var bench = new LogBench(3);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, One, 3));
        var buffer = new byte[64 << 10];

        Assert.Equal(log.WrittenEnd.Value, log.Read(LogPosition.Zero, buffer));
        Assert.Equal(8, log.Read(log.WrittenEnd + -8, buffer));
        Assert.Equal(0, log.Read(log.WrittenEnd, buffer));
        Assert.Equal(0, log.Read(log.WrittenEnd + 1000, buffer));
        Assert.Equal(0, log.Read(new LogPosition(-8), buffer));
    }

    [Fact]
    public void Every_frame_boundary_answers_with_its_summary_and_chain_and_no_other_position_does()
    {
        var bench = new LogBench(4);
        var log = bench.OpenSound();
        var frames = bench.Frames(log.Tail, One, 40);
        log.Append(frames);

        var position = LogPosition.Zero;
        Assert.True(log.TryReadChain(position, out var chain));
        Assert.Equal(LogBench.Identity.Seed.Value, chain);
        foreach (var frame in frames)
        {
            Assert.True(log.TryReadFrameSummary(position, out var summary));
            Assert.Equal(frame.Length, summary.Length);
            Assert.Equal(chain, summary.PreviousHeaderCrc);
            Assert.False(log.TryReadFrameSummary(position + 8, out _));
            Assert.False(log.TryReadChain(position + 8, out _));
            position = summary.End;
            Assert.True(log.TryReadChain(position, out chain));
            Assert.Equal(summary.HeaderCrc, chain);
        }

        Assert.Equal(log.WrittenEnd, position);
    }

    [Fact]
    public void A_truncated_log_goes_on_with_other_frames_and_keeps_them_after_a_power_loss()
    {
        var bench = new LogBench(5);
        var log = bench.OpenSound();
        var frames = bench.Frames(log.Tail, One, 100);
        log.Append(frames);
        log.Sync();
        var kept = frames.Take(10).SelectMany(frame => frame.ToArray()).ToArray();

        var tail = log.TruncateTo(new LogPosition(kept.Length));
        var other = bench.Frames(tail, Two, 100);
        log.Append(other);
        log.Sync();
        bench.Disk.LosePower();

        var recovery = bench.Open();
        var expected = kept.Concat(other.SelectMany(frame => frame.ToArray())).ToArray();
        Assert.Equal(expected, LogBench.ReadAll(recovery.Log!));
        Assert.Equal(new Epoch(Two, new LogPosition(kept.Length)), recovery.Epochs.Last);
    }

    [Fact]
    public void A_log_can_be_truncated_to_its_start_and_to_a_segment_border()
    {
        var bench = new LogBench(6);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, One, 60, bodyBytes: 960));
        log.Sync();
        Assert.True(log.SegmentCount > 3);
        var border = new LogPosition(15 * (64 + 64 + 960));

        Assert.Equal(border, log.TruncateTo(border).End);
        Assert.Equal(2, log.SegmentCount);
        Assert.Equal(ChainTail.Genesis(LogBench.Identity.Seed), log.TruncateTo(LogPosition.Zero));
        log.Append(bench.Frames(log.Tail, One, 3));
        log.Dispose();

        Assert.Equal([Term.Zero, One], bench.Open().Epochs.Epochs.Select(epoch => epoch.Term));
    }

    [Fact]
    public void A_frame_that_does_not_continue_the_log_is_our_bug()
    {
        var bench = new LogBench(7);
        var log = bench.OpenSound();
        var frames = bench.Frames(log.Tail, One, 2);

        Assert.Throws<InvariantViolationException>(() => log.Append([frames[1]]));
    }

    [Fact]
    public void The_watermark_follows_the_durable_end_and_never_passes_it()
    {
        var bench = new LogBench(8);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, One, 1));
        var firstEnd = log.Sync();
        bench.Clock.Advance(TimeSpan.FromMilliseconds(60));
        log.Append(bench.Frames(log.Tail, One, 1));
        log.Sync();
        bench.Disk.LosePower();

        var recovery = bench.Open();

        Assert.Equal(firstEnd, recovery.Watermark);
        Assert.True(recovery.Tail.End > firstEnd);
    }

    [Fact]
    public void An_idle_writer_brings_the_watermark_to_the_end_with_one_write()
    {
        var bench = new LogBench(9);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, One, 2));
        log.Sync();

        log.SyncWatermark();
        var operations = bench.Disk.OperationCount;
        log.SyncWatermark();

        Assert.Equal(operations, bench.Disk.OperationCount);
        bench.Disk.LosePower();
        Assert.Equal(log.DurableEnd, bench.Open().Watermark);
    }

    [Fact]
    public void A_sync_without_new_bytes_touches_no_disk()
    {
        var bench = new LogBench(10);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, One, 2));
        log.Sync();
        var operations = bench.Disk.OperationCount;

        log.Sync();

        Assert.Equal(operations, bench.Disk.OperationCount);
    }

    [Fact]
    public void A_batch_is_one_write_and_one_sync()
    {
        var bench = new LogBench(11);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, One, 1));
        log.Sync();
        var operations = bench.Disk.OperationCount;

        log.Append(bench.Frames(log.Tail, One, 10, bodyBytes: 100));
        log.Sync();

        Assert.Equal(operations + 2, bench.Disk.OperationCount);
    }

    [Fact]
    public void A_failed_sync_is_sticky_and_what_it_dropped_is_not_called_durable()
    {
        var bench = new LogBench(12);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, One, 1));
        var durable = log.Sync();
        log.Append(bench.Frames(log.Tail, One, 1));
        bench.Disk.SyncFails = _ => true;

        Assert.Throws<StorageFaultException>(() => log.Sync());
        bench.Disk.SyncFails = null;

        Assert.Equal(StorageFaultException.DeviceError, log.Fault!.Errno);
        Assert.Throws<StorageFaultException>(() => log.Sync());
        Assert.Throws<StorageFaultException>(() => log.Append([]));
        Assert.Throws<StorageFaultException>(() => log.TruncateTo(durable));
        Assert.Equal(durable, log.DurableEnd);
    }

    [Fact]
    public void After_a_failed_sync_a_restarted_process_writes_the_tail_again_before_it_counts_as_durable()
    {
        var bench = new LogBench(13);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, One, 1));
        log.Sync();
        log.Append(bench.Frames(log.Tail, One, 1));
        bench.Disk.SyncFails = _ => true;
        Assert.Throws<StorageFaultException>(() => log.Sync());

        bench.Disk.RestartProcess();
        var second = bench.OpenSound();
        var end = second.DurableEnd;
        bench.Disk.LosePower(Testing.Disks.SectorLoss.All);

        Assert.True(end > new LogPosition(0));
        Assert.Equal(end, bench.Open().Tail.End);
    }

    [Fact]
    public void A_full_disk_at_a_roll_is_no_fault_and_keeps_what_was_durable()
    {
        var bench = new LogBench(14);
        var log = bench.OpenSound();
        bench.Disk.CapacityBytes = 30 << 10;

        Assert.True(log.Append(bench.Frames(log.Tail, One, 60)) < 60);

        Assert.Null(log.Fault);
        Assert.True(log.IsSpaceLow);
        var durable = log.DurableEnd;
        bench.Disk.LosePower();
        bench.Disk.CapacityBytes = long.MaxValue;
        Assert.True(bench.Open().Tail.End >= durable);
    }

    [Fact]
    public void A_prepared_spare_makes_a_roll_free_of_new_files_and_directory_syncs()
    {
        var bench = new LogBench(15);
        var log = bench.OpenSound();
        using var preparer = log.CreatePreparer();
        while (preparer.Step())
        {
        }

        Assert.Contains("spare-0", bench.Disk.List(LogBench.Directory));
        log.Append(bench.Frames(log.Tail, One, 30));
        var withoutSpare = bench.Disk.List(LogBench.Directory);
        Assert.DoesNotContain(withoutSpare, name => name.StartsWith("filling", StringComparison.Ordinal));
        log.Sync();
        while (preparer.Step())
        {
        }

        // People find the segment under its base; the next spare is ready.
        var names = bench.Disk.List(LogBench.Directory);
        Assert.Contains(names, name => name.StartsWith("spare-", StringComparison.Ordinal));
        Assert.True(names.Count(name => name.Length == 20) >= 2);
    }

    [Fact]
    public void The_first_file_which_is_only_reserved_is_left_as_soon_as_a_written_spare_is_ready()
    {
        var bench = new LogBench(16);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, One, 1));
        Assert.Equal(1, log.SegmentCount);
        using var preparer = log.CreatePreparer();
        while (preparer.Step())
        {
        }

        log.Append(bench.Frames(log.Tail, One, 1));

        Assert.Equal(2, log.SegmentCount);
        log.Append(bench.Frames(log.Tail, One, 1));
        Assert.Equal(2, log.SegmentCount);
    }

    [Fact]
    public void A_fresh_log_with_segments_of_full_size_writes_no_zeros_before_it_is_usable()
    {
        var bench = new LogBench(19);

        var log = bench.OpenSound(new CommitLogOptions());
        log.Append(bench.Frames(log.Tail, One, 1));
        log.Sync();

        Assert.True(bench.Disk.WrittenBytes < 32 << 10, $"{bench.Disk.WrittenBytes} bytes");
        Assert.Single(bench.Disk.List(LogBench.Directory));
    }

    [Fact]
    public void Recovery_begins_at_the_checkpoint_and_knows_the_epochs_before_it()
    {
        var bench = new LogBench(17);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, One, 30));
        log.Append(bench.Frames(log.Tail, Two, 30));
        log.Sync();
        var committed = log.DurableEnd;
        Assert.True(log.IsCheckpointDue(committed));
        log.WriteLogCheckpoint(committed);
        Assert.False(log.IsCheckpointDue(committed));
        log.Append(bench.Frames(log.Tail, Two, 2));
        log.Dispose();

        var recovery = bench.Open();

        Assert.Equal(recovery.Tail.End - committed, recovery.VerifiedBytes);
        Assert.Equal([new Term(0), One, Two], recovery.Epochs.Epochs.Select(epoch => epoch.Term));
        Assert.True(recovery.CommitHint >= committed);
    }

    [Fact]
    public void A_truncation_below_the_checkpoint_is_our_bug()
    {
        var bench = new LogBench(18);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, One, 5));
        log.WriteLogCheckpoint(log.Sync());

        Assert.Throws<InvariantViolationException>(() => log.TruncateTo(LogPosition.Zero));
    }

    [Fact]
    public void Options_out_of_range_are_all_named_at_once()
    {
        var options = new CommitLogOptions { SegmentBytes = 5, SpareCount = 99, FrameBytesMax = 1 };

        var problems = options.Validate();

        Assert.Equal(3, problems.Count);
        Assert.All(problems, problem => Assert.Contains("allowed is", problem));
        Assert.Throws<ArgumentException>(() => new LogBench(1).Open(options));
    }
}
