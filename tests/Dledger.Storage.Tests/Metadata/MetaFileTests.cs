using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Metadata;
using Dledger.Testing.Disks;

namespace Dledger.Storage.Tests.Metadata;

public sealed class MetaFileTests
{
    private static readonly Guid StorageId = new("0f0e0d0c-0b0a-0908-0706-050403020100");

    private static readonly NodeMetadata First = new() { Node = new NodeId(1), StorageId = StorageId };

    private static readonly Genesis Birth = new(
        new Guid("00112233-4455-6677-8899-aabbccddeeff"), [new GenesisVoter(new NodeId(1), StorageId)]);

    [Fact]
    public void There_is_no_metadata_before_it_is_created()
    {
        var disk = new SimulatedDisk(1);

        Assert.Null(MetaFile.Open(disk, "meta"));
        Assert.Null(MetaFile.ReadOnly(disk, "meta"));
    }

    [Fact]
    public void The_last_version_is_read_back_after_a_power_loss()
    {
        var disk = new SimulatedDisk(2);
        var meta = MetaFile.Create(disk, "meta", First);
        var next = First with { Genesis = Birth, Term = new Term(3), VotedFor = new NodeId(2) };
        meta.Write(next);

        disk.LosePower(SectorLoss.All);

        Assert.Equal(next, MetaFile.Open(disk, "meta")!.Current);
        Assert.Equal(next, MetaFile.ReadOnly(disk, "meta"));
        Assert.Equal(Birth.ClusterId, next.ClusterId);
    }

    [Fact]
    public void A_crash_at_any_disk_call_leaves_the_old_version_or_the_new_one()
    {
        for (var seed = 1; seed <= 200; seed++)
        {
            var disk = new SimulatedDisk(seed) { CrashAtOperation = (seed % 25) + 1 };
            NodeMetadata? durable = null;
            NodeMetadata? attempted = First;
            try
            {
                var meta = MetaFile.Create(disk, "meta", First);
                durable = First;
                for (var term = 1; term <= 10; term++)
                {
                    var vote = new NodeId(1 + (term % 3));
                    attempted = First with { Genesis = Birth, Term = new Term(term), VotedFor = vote };
                    meta.Write(attempted);
                    durable = attempted;
                }
            }
            catch (SimulatedCrashException)
            {
                Assert.True(disk.HasCrashed);
            }

            disk.LosePower((SectorLoss)(seed % 6));
            var found = MetaFile.Open(disk, "meta")?.Current;
            Assert.True(Equals(found, durable) || Equals(found, attempted), $"seed {seed}: {found}");
        }
    }

    [Fact]
    public void What_was_read_after_a_process_crash_survives_a_power_loss()
    {
        for (var seed = 1; seed <= 100; seed++)
        {
            var disk = new SimulatedDisk(seed);
            var meta = MetaFile.Create(disk, "meta", First);
            disk.CrashAtOperation = disk.OperationCount + 1 + (seed % 2);
            var next = First with { Term = new Term(1), VotedFor = new NodeId(1) };
            Assert.Throws<SimulatedCrashException>(() => meta.Write(next));
            disk.RestartProcess();

            var seen = MetaFile.Open(disk, "meta")!.Current;
            disk.LosePower();

            Assert.Equal(seen, MetaFile.Open(disk, "meta")!.Current);
        }
    }

    [Fact]
    public void One_rotten_copy_has_its_twin()
    {
        for (var copy = 0; copy < 2; copy++)
        {
            var disk = new SimulatedDisk(3);
            var meta = MetaFile.Create(disk, "meta", First);
            meta.Write(First with { Term = new Term(1) });
            meta.Write(First with { Term = new Term(2) });
            disk.Corrupt("meta", (2 * 4096) + (copy * 4096) + 50);

            var meta2 = MetaFile.Open(disk, "meta")!;
            Assert.Equal(new Term(2), meta2.Current.Term);
            Assert.Equal(1, meta2.DamagedSlotCount);
            Assert.Equal(0, MetaFile.Open(disk, "meta")!.DamagedSlotCount);
        }
    }

    [Fact]
    public void A_file_without_a_valid_slot_is_never_taken_for_term_zero()
    {
        var disk = new SimulatedDisk(4);
        MetaFile.Create(disk, "meta", First);
        for (var slot = 0; slot < 4; slot++)
        {
            disk.Corrupt("meta", (slot * 4096) + 20);
        }

        var fault = Assert.Throws<DamagedFileException>(() => MetaFile.Open(disk, "meta"));
        Assert.Contains("none of its 4 slots", fault.Message);
    }

    [Fact]
    public void Terms_never_fall_votes_never_change_and_the_genesis_stays()
    {
        var meta = MetaFile.Create(new SimulatedDisk(5), "meta", First);
        var voted = First with { Genesis = Birth, Term = new Term(4), VotedFor = new NodeId(2) };
        meta.Write(voted);

        Assert.Throws<InvariantViolationException>(() => meta.Write(voted with { Term = new Term(3) }));
        Assert.Throws<InvariantViolationException>(() => meta.Write(voted with { VotedFor = new NodeId(3) }));
        Assert.Throws<InvariantViolationException>(() => meta.Write(voted with { VotedFor = NodeId.None }));
        Assert.Throws<InvariantViolationException>(() => meta.Write(voted with { Genesis = null }));
        Assert.Throws<InvariantViolationException>(() => meta.Write(voted with { StorageId = Guid.Empty }));
        meta.Write(voted with { Term = new Term(5), VotedFor = new NodeId(3) });
        Assert.Equal(new NodeId(3), meta.Current.VotedFor);
    }

    [Fact]
    public void Unsynced_writes_may_be_lost_when_the_machine_booted_and_the_stop_was_not_clean()
    {
        var (boot, other) = (new Guid(1, 2, 3, new byte[8]), new Guid(4, 5, 6, new byte[8]));
        var running = First with { MachineBootId = boot };
        var stopped = running with { CleanStop = new CleanStop(new LogPosition(8), 1) };

        Assert.False(running.MayHaveLostUnsynced(boot));
        Assert.True(running.MayHaveLostUnsynced(other));
        Assert.False(stopped.MayHaveLostUnsynced(other));
        Assert.True(First.MayHaveLostUnsynced(other));
    }

    [Fact]
    public void A_failed_sync_is_sticky_and_the_version_is_not_current()
    {
        var disk = new SimulatedDisk(6);
        var meta = MetaFile.Create(disk, "meta", First);
        disk.SyncFails = _ => true;

        Assert.Throws<StorageFaultException>(() => meta.Write(First with { Term = new Term(1) }));
        disk.SyncFails = null;

        Assert.Throws<StorageFaultException>(() => meta.Write(First with { Term = new Term(1) }));
        Assert.Equal(Term.Zero, meta.Current.Term);
    }

    [Fact]
    public void The_largest_genesis_fits_into_a_slot()
    {
        var voters = Enumerable.Range(1, Genesis.VoterCountMax)
            .Select(id => new GenesisVoter(new NodeId(id), StorageId))
            .ToArray();
        var disk = new SimulatedDisk(7);
        MetaFile.Create(disk, "meta", First with { Genesis = new Genesis(Birth.ClusterId, voters) });

        Assert.Equal(voters, MetaFile.ReadOnly(disk, "meta")!.Genesis!.Voters);
    }
}
