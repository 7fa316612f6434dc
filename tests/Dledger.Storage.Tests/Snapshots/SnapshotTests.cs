using Dledger.Primitives;
using Dledger.Storage.Checkpoints;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Dledger.Storage.Metadata;
using Dledger.Storage.Queues;
using Dledger.Storage.Snapshots;
using Dledger.Storage.Tests.Logs;
using Dledger.Testing.Disks;
using Xunit.Abstractions;

namespace Dledger.Storage.Tests.Snapshots;

/// <summary>Section 2.20: what is sent is what the checkpoint covers, and it arrives whole or not at all.</summary>
public sealed class SnapshotTests(ITestOutputHelper output)
{
    private static readonly NodeMetadata Owner = new() { Node = new NodeId(1), StorageId = LogBench.Identity.StorageId };

    [Fact]
    public void The_parts_are_the_state_and_the_queue_files_up_to_the_checkpoint()
    {
        using var bench = new SnapshotBench(1);

        Assert.Equal(
            ["topics 0/0 3", "empty 0/0 0", " 1/0 1000", " 1/0 500", " 2/7 400"],
            bench.Manifest.Parts.Select(part => $"{part.Name} {part.TopicId}/{part.QueueId} {part.Length}"));
        for (var part = 0; part < bench.Manifest.Parts.Count; part++)
        {
            Assert.Equal(bench.Manifest.Parts[part].Crc, Crc32C.Compute(bench.ReadPart(part)));
        }

        Assert.Equal(SnapshotBench.LogStart, bench.Manifest.LogStart);
    }

    [Fact]
    public void A_queue_file_that_does_not_hold_what_the_checkpoint_covers_is_not_sent()
    {
        using var bench = new SnapshotBench(2);
        using var pin = bench.States.PinNewest()!;
        bench.Disk.Corrupt($"g/cq/2/7/{new string('0', 20)}", (5 * 20) + 7, 0x80);

        Assert.Throws<DamagedFileException>(() => Create(bench, pin, 20));
        Assert.Throws<DamagedFileException>(() => Create(bench, pin, 21));
    }

    [Fact]
    public void A_pinned_checkpoint_outlives_newer_ones()
    {
        using var bench = new SnapshotBench(3);
        foreach (var applied in new[] { 200_000, 300_000, 400_000 })
        {
            bench.States.Write(new LogPosition(applied), new Term(3), 1, []);
        }

        Assert.Equal(new long[] { 400_000, 300_000, 100_000 }, bench.States.ListDurable().Select(at => at.Value));
        Assert.Equal(new byte[] { 1, 2, 3 }, bench.ReadPart(0));
        bench.Dispose();
        bench.States.Write(new LogPosition(500_000), new Term(3), 1, []);
        Assert.Equal(new long[] { 500_000, 400_000 }, bench.States.ListDurable().Select(at => at.Value));
    }

    [Fact]
    public void A_transfer_resumes_after_a_crash_without_sending_complete_parts_again()
    {
        var resumedCount = 0;
        for (var seed = 0; seed < 200; seed++)
        {
            using var bench = new SnapshotBench(seed);
            var disk = new SimulatedDisk(seed);
            disk.CreateDirectory("g");
            disk.SyncDirectory("");
            disk.CrashAtOperation = 4 + (seed % 25);
            using var first = new SnapshotStaging(disk, "g");
            try
            {
                first.Begin(bench.Manifest);
                bench.Send(first);
            }
            catch (SimulatedCrashException)
            {
                disk.LosePower((SectorLoss)(seed % 6));
            }

            using var second = new SnapshotStaging(disk, "g");
            second.Begin(bench.Manifest);
            for (var part = 0; part < bench.Manifest.Parts.Count; part++)
            {
                Assert.True(!IsComplete(first, part) || second.HasPart(part), $"seed {seed}: part {part} was durable");
                resumedCount += second.HasPart(part) ? 1 : 0;
            }

            bench.Send(second);
            Assert.True(second.IsComplete);
            Assert.Null(second.Verify());
        }

        output.WriteLine($"{resumedCount} parts were there after a crash");
        Assert.True(resumedCount > 200);
    }

    [Fact]
    public void Chunks_that_are_damaged_out_of_place_or_too_long_change_nothing()
    {
        using var bench = new SnapshotBench(4);
        var disk = new SimulatedDisk(4);
        disk.CreateDirectory("g");
        using var staging = new SnapshotStaging(disk, "g");
        Assert.Equal(ChunkOutcome.Unexpected, staging.WriteChunk(0, 0, [1], 0));
        staging.Begin(bench.Manifest);
        byte[] chunk = [1, 2];
        var crc = Crc32C.Compute(chunk);

        Assert.Equal(ChunkOutcome.WrongChecksum, staging.WriteChunk(0, 0, chunk, crc + 1));
        Assert.Equal(ChunkOutcome.Unexpected, staging.WriteChunk(0, 1, chunk, crc));
        Assert.Equal(ChunkOutcome.Unexpected, staging.WriteChunk(5, 0, chunk, crc));
        Assert.Equal(ChunkOutcome.Unexpected, staging.WriteChunk(-1, 0, chunk, crc));
        Assert.Equal(ChunkOutcome.Unexpected, staging.WriteChunk(1, 0, chunk, crc));
        Assert.Equal(ChunkOutcome.Unexpected, staging.WriteChunk(0, 0, new byte[4], Crc32C.Compute(new byte[4])));
        Assert.Equal(ChunkOutcome.Unexpected, staging.WriteChunk(0, 0, [], 0));
        Assert.Equal(0, staging.ReceivedBytes(0));
        Assert.Equal(ChunkOutcome.PartDiscarded, staging.WriteChunk(0, 0, new byte[3], Crc32C.Compute(new byte[3])));
        Assert.Equal(0, staging.ReceivedBytes(0));
        bench.Send(staging);
        Assert.Null(staging.Verify());
        disk.Corrupt("g/incoming/part-2", 17);
        Assert.Contains("part 2", staging.Verify());
        Assert.False(staging.IsComplete);
    }

    [Fact]
    public void Parts_of_another_snapshot_are_not_kept()
    {
        using var bench = new SnapshotBench(5);
        var disk = new SimulatedDisk(5);
        disk.CreateDirectory("g");
        using var staging = new SnapshotStaging(disk, "g");
        staging.Begin(bench.Manifest);
        bench.Send(staging);

        staging.Begin(bench.Manifest with { AppliedHeaderCrc = 1 });

        Assert.Equal(0, staging.ReceivedBytes(0));
        Assert.Equal(["manifest", "part-1"], disk.List("g/incoming"));
    }

    [Fact]
    public void A_manifest_that_was_damaged_or_made_up_is_refused_with_a_reason()
    {
        using var bench = new SnapshotBench(6);
        var bytes = bench.Manifest.Encode();
        var random = new Random(6);
        for (var round = 0; round < 3000; round++)
        {
            var copy = (byte[])bytes.Clone();
            copy[random.Next(copy.Length)] ^= (byte)random.Next(1, 256);
            if (round % 2 == 1)
            {
                // A checksum that fits: the fields must be checked as well.
                BitConverter.TryWriteBytes(copy.AsSpan(8), Crc32C.Compute(copy.AsSpan(12)));
            }

            var parsed = SnapshotManifest.Parse(copy.AsSpan(0, round % 3 == 0 ? random.Next(copy.Length) : copy.Length),
                out _, out var fault);
            Assert.True(parsed is null == fault is not null);
            Assert.True(round % 2 == 1 || parsed is null, $"round {round}");
        }

        var name = new SnapshotPart(SnapshotPartKind.State, "../x", 0, 0, default, 1, 0);
        Assert.Null(SnapshotManifest.Parse((bench.Manifest with { Parts = [name] }).Encode(), out _, out var reason));
        Assert.Contains("name", reason);
    }

    [Theory]
    [InlineData(SectorLoss.Random)]
    [InlineData(SectorLoss.All)]
    [InlineData(SectorLoss.None)]
    [InlineData(SectorLoss.KeepPrefix)]
    [InlineData(SectorLoss.FirstOnly)]
    public void A_crash_at_any_disk_call_of_an_install_leaves_the_old_node_or_is_finished_by_the_restart(SectorLoss loss)
    {
        for (var seed = 1; seed <= 2; seed++)
        {
            var crashAt = 1;
            while (CrashInInstall(seed, crashAt, loss))
            {
                crashAt++;
            }

            output.WriteLine($"seed {seed}: {crashAt} disk calls");
            Assert.True(crashAt > 60, $"seed {seed}: {crashAt} disk calls");
        }
    }

    private static bool CrashInInstall(int seed, int crashAt, SectorLoss loss)
    {
        using var bench = new SnapshotBench(seed);
        var log = new LogBench(seed);
        var disk = log.Disk;
        var states = MakeOldNode(disk);
        var meta = MetaFile.Create(disk, "g/meta", Owner);
        using (var staging = new SnapshotStaging(disk, "g"))
        {
            staging.Begin(bench.Manifest);
            bench.Send(staging, 5000);
            Assert.Null(staging.Verify());
        }

        var operations = disk.OperationCount;
        disk.CrashAtOperation = operations + crashAt;
        try
        {
            meta.Write(Owner with { Install = SnapshotInstall.IntentOf(bench.Manifest) });
            Restart(disk, log);
            return false;
        }
        catch (SimulatedCrashException)
        {
            disk.LosePower(loss);
        }

        disk.CrashAtOperation = disk.OperationCount + (crashAt * 11 % 70) + 1;
        try
        {
            Restart(disk, log);
        }
        catch (SimulatedCrashException)
        {
            // Once more below.
        }

        disk.LosePower(loss);
        try
        {
            var opened = Restart(disk, log);
            if (MetaFile.ReadOnly(disk, "g/meta")!.InstalledApplied is null)
            {
                Assert.Equal(LogPosition.Zero, opened.Start);
                Assert.Equal(40, states.ReadNewest(new LogPosition(50), out _)!.Applied.Value);
            }
            else
            {
                Assert.Equal(SnapshotBench.LogStart, opened.Tail);
                SnapshotBench.AssertInstalled(disk);
            }
        }
        catch (Exception fault)
        {
            throw new InvalidOperationException($"seed {seed}, crash at call {crashAt}, {loss}", fault);
        }

        return true;
    }

    private static StateCheckpointStore MakeOldNode(SimulatedDisk disk)
    {
        disk.CreateDirectory("g");
        disk.SyncDirectory("");
        CommitLog.Open(disk, "g/log", LogBench.Small, LogBench.Identity, TimeProvider.System).Log!.Dispose();
        using var queues = new ConsumeQueueStore(disk, "g/cq", SnapshotBench.Queues);
        foreach (var (topic, queue) in new[] { (1, 0), (1, 1), (9, 0) })
        {
            var created = queues.Create(topic, queue);
            for (var i = 0; i < 70; i++)
            {
                created.Append(new ConsumeQueueEntry(new LogPosition(1), 1, 1));
            }
        }

        queues.Sync();
        var states = new StateCheckpointStore(disk, "g/state");
        states.Write(new LogPosition(40), new Term(1), 1, [("topics", new byte[] { 9 })]);
        return states;
    }

    private static CommitLog Restart(SimulatedDisk disk, LogBench bench)
    {
        using var meta = MetaFile.Open(disk, "g/meta")!;
        if (meta.Current.Install is { } install)
        {
            SnapshotInstall.Run(disk, "g", install, intent => CommitLog.ResetOnDisk(
                disk, "g/log", LogBench.Small, LogBench.Identity, intent.LogStart));
            meta.Write(meta.Current with { Install = null, InstalledApplied = install.Applied });
        }

        var recovery = CommitLog.Open(disk, "g/log", LogBench.Small, LogBench.Identity, bench.Clock, createIfEmpty: false);
        Assert.Null(recovery.Damage);
        return recovery.Log!;
    }

    private static SnapshotSource Create(SnapshotBench bench, CheckpointPin pin, int max) => SnapshotSource.Create(
        bench.Disk,
        "g",
        pin,
        SnapshotBench.LogStart,
        [new SnapshotQueue(2, 7, new QueueOffset(0), new QueueOffset(max))],
        SnapshotBench.Queues,
        default,
        pins: []);

    private static bool IsComplete(SnapshotStaging staging, int part) => staging.Manifest is not null && staging.HasPart(part);
}
