using Dledger.Primitives;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;
using Dledger.Storage.Metadata;
using Dledger.Testing.Disks;

namespace Dledger.Storage.Tests.Logs;

/// <summary>Section 2.20 step 5: a log is replaced as a whole, or a restart finishes it.</summary>
public sealed class LogResetTests
{
    private static readonly ChainTail Target = new(new LogPosition(1 << 20), 0xCAFE, 328, new Term(9), 1_700_000);

    private static readonly NodeMetadata Owner = new() { Node = new NodeId(1), StorageId = LogBench.Identity.StorageId };

    [Fact]
    public void A_reset_log_begins_at_the_snapshots_start_and_goes_on_from_there()
    {
        var bench = new LogBench(1);
        var log = bench.OpenSound();
        using var preparer = log.CreatePreparer();
        log.Append(bench.Frames(log.Tail, new Term(1), 60));
        log.WriteLogCheckpoint(log.Sync());
        log.AdvanceStart(log.Tail.End, log.Tail.End);

        log.Reset(Target);

        Assert.Equal(Target, log.Tail);
        Assert.Equal(Target.End, log.Start);
        Assert.Equal(Target.End, log.DurableEnd);
        Assert.Equal(1, log.SegmentCount);
        Assert.Equal(0, log.Read(new LogPosition(500), new byte[8]));
        Assert.True(log.TryReadChain(Target.End, out var chain) && chain == Target.HeaderCrc);
        log.Append(bench.Frames(log.Tail, new Term(10), 60));
        log.WriteLogCheckpoint(log.Sync());
        while (preparer.Step())
        {
            // Nothing of the old log may be touched again.
        }

        var all = LogBench.ReadAll(log);
        log.Dispose();
        bench.Disk.LosePower(SectorLoss.All);
        var recovery = bench.Open();
        Assert.Equal(all, LogBench.ReadAll(recovery.Log!));
        Assert.Equal([new Epoch(new Term(9), Target.End), new Epoch(new Term(10), Target.End)], recovery.Epochs.Epochs);
    }

    [Fact]
    public void A_damaged_directory_can_be_reset()
    {
        var bench = new LogBench(2);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 90));
        log.Dispose();
        foreach (var name in bench.Disk.List("log").Skip(1))
        {
            bench.Disk.Corrupt("log/" + name, 20);
        }

        CommitLog.ResetOnDisk(bench.Disk, "log", LogBench.Small, LogBench.Identity, Target);

        Assert.Equal(Target, bench.Open().Log!.Tail);
    }

    [Fact]
    public void A_pinned_log_is_not_reset()
    {
        var bench = new LogBench(3);
        var log = bench.OpenSound();
        using var pin = log.Pin();

        Assert.Throws<InvariantViolationException>(() => log.Reset(Target));
    }

    [Theory]
    [InlineData(SectorLoss.Random)]
    [InlineData(SectorLoss.All)]
    [InlineData(SectorLoss.None)]
    [InlineData(SectorLoss.KeepPrefix)]
    [InlineData(SectorLoss.KeepSuffix)]
    [InlineData(SectorLoss.FirstOnly)]
    public void A_crash_at_any_disk_call_of_a_reset_leaves_the_old_log_or_is_finished_by_the_restart(SectorLoss loss)
    {
        for (var seed = 1; seed <= 3; seed++)
        {
            var crashAt = 1;
            while (CrashInReset(seed, crashAt, loss))
            {
                crashAt++;
            }

            Assert.True(crashAt > 20, $"seed {seed}: {crashAt} disk calls");
        }
    }

    /// <summary>False when the reset came to its end before the crash.</summary>
    private static bool CrashInReset(int seed, int crashAt, SectorLoss loss)
    {
        var bench = new LogBench(seed);
        var log = bench.OpenSound();
        var meta = MetaFile.Create(bench.Disk, "meta", Owner);
        log.Append(bench.Frames(log.Tail, new Term(1), 50));
        log.WriteLogCheckpoint(log.Sync());
        log.AdvanceStart(new LogPosition(20_000), log.DurableEnd);
        log.Append(bench.Frames(log.Tail, new Term(1), 5));
        log.Sync();
        var old = LogBench.ReadAll(log);
        var oldStart = log.Start;
        bench.Disk.CrashAtOperation = bench.Disk.OperationCount + crashAt;
        try
        {
            var intent = new InstallIntent(Target.End + 500, 1, Target);
            meta.Write(Owner with { Install = intent });
            log.Reset(Target);
            meta.Write(Owner with { InstalledApplied = intent.Applied });
            return false;
        }
        catch (SimulatedCrashException)
        {
            bench.Disk.LosePower(loss);
        }

        // The restart may crash as well.
        bench.Disk.CrashAtOperation = bench.Disk.OperationCount + (crashAt * 7 % 40) + 1;
        try
        {
            Restart(bench);
        }
        catch (SimulatedCrashException)
        {
            // Once more below.
        }

        bench.Disk.LosePower(loss);
        var recovery = Restart(bench);
        Assert.True(recovery.Damage is null, $"seed {seed}, call {crashAt}, {loss}: {recovery.Damage}");
        var wasReset = MetaFile.ReadOnly(bench.Disk, "meta")!.InstalledApplied is not null;
        Assert.Equal(wasReset ? Target.End : oldStart, recovery.Log!.Start);
        Assert.Equal(wasReset ? [] : old, LogBench.ReadAll(recovery.Log));
        Assert.Equal(wasReset ? Target.Term : new Term(1), recovery.Tail.Term);
        return true;
    }

    private static CommitLogRecovery Restart(LogBench bench)
    {
        using var meta = MetaFile.Open(bench.Disk, "meta")!;
        if (meta.Current.Install is { } install)
        {
            CommitLog.ResetOnDisk(bench.Disk, "log", LogBench.Small, LogBench.Identity, install.LogStart);
            meta.Write(meta.Current with { Install = null, InstalledApplied = install.Applied });
        }

        return bench.Open(createIfEmpty: false);
    }
}
