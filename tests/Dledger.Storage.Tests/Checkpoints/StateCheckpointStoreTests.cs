using Dledger.Primitives;
using Dledger.Storage.Checkpoints;
using Dledger.Testing.Disks;

namespace Dledger.Storage.Tests.Checkpoints;

public sealed class StateCheckpointStoreTests
{
    private static readonly LogPosition Everything = new(long.MaxValue);

    [Fact]
    public void A_checkpoint_is_read_back_with_all_its_parts()
    {
        var disk = new SimulatedDisk(1);
        var store = new StateCheckpointStore(disk, "state");

        Write(store, 100);
        disk.LosePower(SectorLoss.All);

        var found = store.ReadNewest(Everything, out var faults)!;
        Assert.Empty(faults);
        Assert.Equal(new LogPosition(100), found.Applied);
        Assert.Equal(new Term(7), found.Term);
        Assert.Equal(0xABCDu, found.HeaderCrc);
        Assert.Equal(["empty", "topics"], found.Parts.Keys.Order());
        Assert.Equal(PartOf(100), found.Parts["topics"]);
        Assert.Empty(found.Parts["empty"]);
    }

    [Fact]
    public void The_newest_one_at_or_below_the_durable_end_is_taken_and_two_are_kept()
    {
        var disk = new SimulatedDisk(2);
        var store = new StateCheckpointStore(disk, "state");
        foreach (var applied in new[] { 100, 200, 300 })
        {
            Write(store, applied);
        }

        Assert.Equal(2, disk.List("state").Count);
        Assert.Equal(300, store.ReadNewest(new LogPosition(300), out _)!.Applied.Value);
        Assert.Equal(200, store.ReadNewest(new LogPosition(299), out _)!.Applied.Value);
        Assert.Null(store.ReadNewest(new LogPosition(199), out _));
    }

    [Fact]
    public void A_damaged_part_or_manifest_falls_back_to_the_older_checkpoint_and_says_why()
    {
        foreach (var file in new[] { "topics", "manifest" })
        {
            var disk = new SimulatedDisk(3);
            var store = new StateCheckpointStore(disk, "state");
            Write(store, 100);
            Write(store, 200);
            disk.Corrupt($"state/{new string('0', 17)}200/{file}", 3);

            var found = store.ReadNewest(Everything, out var faults);

            Assert.Equal(100, found!.Applied.Value);
            Assert.Contains("200", Assert.Single(faults));
        }
    }

    [Fact]
    public void A_checkpoint_that_is_there_already_is_left_alone()
    {
        var disk = new SimulatedDisk(4);
        var store = new StateCheckpointStore(disk, "state");
        Write(store, 100);
        var operations = disk.OperationCount;

        Write(store, 100);

        Assert.Equal(operations, disk.OperationCount);
    }

    [Fact]
    public void A_crash_at_any_disk_call_leaves_the_newest_finished_checkpoint_readable()
    {
        for (var seed = 1; seed <= 400; seed++)
        {
            var disk = new SimulatedDisk(seed) { CrashAtOperation = 1 + (seed % 80) };
            var store = new StateCheckpointStore(disk, "state");
            var finished = 0;
            try
            {
                for (var applied = 100; applied <= 600; applied += 100)
                {
                    Write(store, applied);
                    finished = applied;
                }
            }
            catch (SimulatedCrashException)
            {
                disk.LosePower((SectorLoss)(seed % 6));
            }

            var found = store.ReadNewest(Everything, out _);
            var position = (int)(found?.Applied.Value ?? 0);
            Assert.True(
                position == finished || position == finished + 100, $"seed {seed}: {position} after {finished}");
            if (found is not null)
            {
                Assert.Equal(PartOf(position), found.Parts["topics"]);
            }

            // The next one can be written over whatever is left.
            Write(store, position + 50);
            Assert.Equal(position + 50, store.ReadNewest(Everything, out _)!.Applied.Value);
        }
    }

    [Fact]
    public void A_part_name_that_is_no_plain_file_name_is_our_bug()
    {
        var store = new StateCheckpointStore(new SimulatedDisk(1), "state");
        foreach (var name in new[] { "", "../x", "manifest", "Topics", new string('a', 65) })
        {
            Assert.Throws<InvariantViolationException>(
                () => store.Write(new LogPosition(1), new Term(1), 0, [(name, ReadOnlyMemory<byte>.Empty)]));
        }
    }

    private static void Write(StateCheckpointStore store, int applied) => store.Write(
        new LogPosition(applied),
        new Term(7),
        0xABCD,
        [("topics", PartOf(applied)), ("empty", ReadOnlyMemory<byte>.Empty)]);

    private static byte[] PartOf(int applied) =>
        Enumerable.Range(0, 1500).Select(i => (byte)(i + (applied * 3))).ToArray();
}
