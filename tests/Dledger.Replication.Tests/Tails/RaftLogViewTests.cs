using Dledger.Primitives;
using Dledger.Replication.Applying;
using Dledger.Replication.Tails;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;
using Dledger.Storage.Records;
using Dledger.Testing.Clocks;
using Dledger.Testing.Disks;

namespace Dledger.Replication.Tests.Tails;

public sealed class RaftLogViewTests
{
    private static readonly LogIdentity Identity = new(Guid.NewGuid(), Guid.NewGuid(), RaftGroupId.First);

    [Fact]
    public void A_chain_value_behind_which_the_header_is_rotten_is_raised_as_damage()
    {
        var disk = new SimulatedDisk(1);
        using var log = CommitLog.Open(
            disk, "log", new CommitLogOptions(), Identity, new ManualClock(), createIfEmpty: true).Log!;
        var first = Append(log, FrameFlags.TermStart);
        var second = Append(log, FrameFlags.None);
        var view = new RaftLogView(new TailCache(second.End, 1 << 20), log);
        Assert.Equal(first.HeaderCrc, view.GetChain(first.End));

        var segment = disk.List("log").Single(name => long.TryParse(name, out _));
        disk.Corrupt($"log/{segment}", CommitLogOptions.SegmentHeaderBytes + first.End.Value);

        Assert.Throws<LogUnreadableException>(() => view.GetChain(first.End));
        Assert.Equal(second.HeaderCrc, view.GetChain(second.End));
    }

    private static ChainTail Append(CommitLog log, FrameFlags flags)
    {
        var record = RecordEncoder.Encode(new RecordFields { Kind = RecordKind.TermStart }, [], [], []);
        var frame = FrameBuilder.Build(
            log.Tail, new Term(1), 1, LogPosition.Zero, flags, new NodeId(1), [record], Identity.Seed);
        log.Append([frame]);
        log.Sync();
        return log.Tail;
    }
}
