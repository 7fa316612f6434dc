using Dledger.Primitives;
using Dledger.Storage.Logs;
using Dledger.Testing.Disks;

namespace Dledger.Storage.Tests.Logs;

/// <summary>Section 2.11: sealed segments are read again and again, and damage in them is mended in service.</summary>
public sealed class LogScrubberTests
{
    [Fact]
    public void A_sound_log_is_read_to_the_last_sealed_byte_and_then_again()
    {
        var (bench, log, _) = WriteLog(1);
        var scrubber = log.CreateScrubber();

        for (var pass = 0; pass < 2; pass++)
        {
            var steps = Pass(scrubber);
            Assert.All(steps, step => Assert.True(step.Damage is null && step.DamagedHeader is null));
            Assert.Equal(SealedBytes(log), steps.Sum(step => step.ReadBytes));
        }

        Assert.Equal(TimeSpan.FromSeconds(2), scrubber.PauseAfter(new ScrubStep(20 << 20, null, null, false)));
        Assert.True(bench.Disk.Exists("log/scrub"));
    }

    [Fact]
    public void Damage_is_reported_with_both_sides_and_mended_while_the_log_is_written()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var (bench, log, all) = WriteLog(seed);
            var scrubber = log.CreateScrubber();
            var names = bench.Disk.List("log").Where(name => char.IsDigit(name[0])).SkipLast(1).ToArray();
            for (var i = 0; i < 3; i++)
            {
                bench.Disk.Rot("log/" + names[bench.Random.Next(names.Length)]);
            }

            foreach (var step in Pass(scrubber))
            {
                Mend(log, all, step);
                log.Append(bench.Frames(log.Tail, log.Tail.Term, 1, 10));
            }

            Assert.All(Pass(scrubber), step => Assert.True(step.Damage is null && step.DamagedHeader is null, $"seed {seed}"));
            Assert.Equal(all, LogBench.ReadAll(log)[..all.Length]);
            log.Sync();
            log.Dispose();
            bench.Disk.LosePower(SectorLoss.All);
            var recovery = CommitLog.Open(
                bench.Disk, "log", LogBench.Small, LogBench.Identity, bench.Clock, createIfEmpty: false, verifyAll: true);
            Assert.True(recovery.Damage is null && recovery.RebuiltHeaders.Count == 0, $"seed {seed}");
        }
    }

    [Fact]
    public void A_restart_goes_on_where_the_last_pass_came_to()
    {
        var (bench, log, _) = WriteLog(2);
        var scrubber = log.CreateScrubber();
        scrubber.Step();
        var place = scrubber.Position;
        Assert.True(place > LogPosition.Zero);
        log.Dispose();

        var reopened = bench.OpenSound();
        Assert.Equal(place, reopened.CreateScrubber().Position);
        bench.Disk.Corrupt("log/scrub", 3);
        Assert.Equal(LogPosition.Zero, reopened.CreateScrubber().Position);
    }

    [Fact]
    public void Segments_that_expire_meanwhile_are_left_out()
    {
        var (_, log, _) = WriteLog(3);
        var scrubber = log.CreateScrubber();
        scrubber.Step();
        var start = log.AdvanceStart(log.Tail.End + -20_000, new LogPosition(long.MaxValue));
        while (log.RetireExpired())
        {
            // All of them.
        }

        var steps = Pass(scrubber);

        Assert.All(steps, step => Assert.True(step.Damage is null && step.DamagedHeader is null));
        Assert.Equal(SealedBytes(log), steps.Sum(step => step.ReadBytes));
        Assert.True(start > LogPosition.Zero);
    }

    [Fact]
    public void Bytes_that_do_not_fit_or_lie_in_the_tail_are_refused()
    {
        var (bench, log, all) = WriteLog(4);
        bench.Disk.Corrupt("log/" + new string('0', 20), 4096 + 100);
        var damage = Pass(log.CreateScrubber()).Single(step => step.Damage is not null).Damage!;
        var right = all.AsSpan(0, (int)damage.To!.Value.Value);

        Assert.NotNull(log.RepairRange(damage, right[8..], out var rest));
        Assert.Same(damage, rest);
        Assert.NotNull(log.RepairRange(damage with { Before = log.Tail, From = log.Tail.End }, right, out _));
        Assert.Null(log.RepairRange(damage, right, out rest));
        Assert.Null(rest);
    }

    private static void Mend(CommitLog log, byte[] peer, in ScrubStep step)
    {
        if (step.DamagedHeader is { } header)
        {
            log.RepairHeader(header);
        }

        if (step.Damage is { } damage)
        {
            var bytes = peer.AsSpan((int)damage.From.Value..(int)damage.To!.Value.Value);
            Assert.Null(log.RepairRange(damage, bytes, out var rest));
            Assert.Null(rest);
        }
    }

    private static List<ScrubStep> Pass(LogScrubber scrubber)
    {
        var steps = new List<ScrubStep>();
        do
        {
            steps.Add(scrubber.Step());
            Assert.True(steps.Count < 1000, "a pass comes to an end");
        }
        while (!steps[^1].IsPassComplete);

        return steps;
    }

    private static long SealedBytes(CommitLog log) => log.LastSegmentBase - log.Start;

    private static (LogBench Bench, CommitLog Log, byte[] All) WriteLog(int seed)
    {
        var bench = new LogBench(seed);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 90));
        log.Sync();
        while (log.TryNameSegment())
        {
            // Every segment gets its name.
        }

        return (bench, log, LogBench.ReadAll(log));
    }
}
