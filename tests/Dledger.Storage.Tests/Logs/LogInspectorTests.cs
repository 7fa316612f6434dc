using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Dledger.Storage.Metadata;
using Dledger.Storage.Records;
using Dledger.Testing.Disks;

namespace Dledger.Storage.Tests.Logs;

public sealed class LogInspectorTests
{
    [Fact]
    public void A_sound_log_is_dumped_frame_by_frame_and_verified_without_a_change()
    {
        var bench = new LogBench(1);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 40));
        var end = log.Sync();
        log.Dispose();
        var operations = bench.Disk.OperationCount;

        using var inspector = LogInspector.Open(bench.Disk, "", RaftGroupId.First);
        var verification = inspector.Verify(CancellationToken.None);
        var frames = inspector.ReadFrames(LogPosition.Zero, end).ToList();

        Assert.Null(verification.Fault);
        Assert.False(verification.TornTail);
        Assert.Equal(40, verification.FrameCount);
        Assert.Equal(40, verification.RecordCount);
        Assert.Equal(end, verification.End);
        Assert.Equal(end, verification.Watermark);
        Assert.Equal(40, frames.Count);
        Assert.Equal(end, frames[^1].Header.End);
        Assert.Equal(RecordKind.TermStart, frames[0].Records[0].Header.Kind);
        Assert.All(frames, frame => Assert.Null(frame.Records[0].Fault));
        Assert.Equal(operations, bench.Disk.OperationCount);
    }

    [Fact]
    public void A_dump_of_a_range_begins_with_the_first_frame_in_it()
    {
        var bench = new LogBench(2);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 60));
        log.Sync();
        var all = Dump(bench, LogPosition.Zero, log.DurableEnd);
        var some = Dump(bench, all[20].Header.Base + 1, all[30].Header.Base);

        Assert.Equal(all[21..30].Select(frame => frame.Header), some.Select(frame => frame.Header));
    }

    [Fact]
    public void The_first_fault_is_reported_with_its_position_and_a_reason()
    {
        var bench = new LogBench(3);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 10, bodyBytes: 200));
        log.Dispose();
        bench.Disk.Corrupt($"log/{new string('0', 20)}", 4096 + (3 * 328) + 150);

        using var inspector = LogInspector.Open(bench.Disk, "", RaftGroupId.First);
        var verification = inspector.Verify(CancellationToken.None);

        Assert.Equal(new LogPosition(3 * 328), verification.Fault!.Position);
        Assert.Contains("payload checksum", verification.Fault.Reason);
        Assert.Equal(3, verification.FrameCount);
        Assert.Equal(3, inspector.ReadFrames(LogPosition.Zero, new LogPosition(1 << 20)).Count());
    }

    [Fact]
    public void An_interrupted_write_behind_the_end_is_no_fault()
    {
        var bench = new LogBench(4);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 3, bodyBytes: 200));
        log.Sync();
        bench.Disk.Corrupt($"log/{new string('0', 20)}", 4096 + (2 * 328) + 150);

        using var inspector = LogInspector.Open(bench.Disk, "", RaftGroupId.First);
        var verification = inspector.Verify(CancellationToken.None);

        Assert.Null(verification.Fault);
        Assert.True(verification.TornTail);
        Assert.Equal(2, verification.FrameCount);
    }

    [Fact]
    public void The_meta_file_tells_whose_log_it_must_be()
    {
        var bench = new LogBench(5);
        bench.OpenSound().Dispose();
        var metadata = new NodeMetadata
        {
            Node = new NodeId(1),
            StorageId = Guid.Empty,
            Genesis = new Genesis(LogBench.Identity.ClusterId, []),
        };
        MetaFile.Create(bench.Disk, "meta", metadata).Dispose();

        using var inspector = LogInspector.Open(bench.Disk, "", RaftGroupId.First);

        Assert.Contains("belongs to", inspector.Verify(CancellationToken.None).Fault!.Reason);
    }

    [Fact]
    public void A_directory_without_a_log_says_so()
    {
        var fault = Assert.Throws<DamagedFileException>(
            () => LogInspector.Open(new SimulatedDisk(1), "", RaftGroupId.First));

        Assert.Contains("whose log it is", fault.Message);
    }

    private static List<InspectedFrame> Dump(LogBench bench, LogPosition from, LogPosition to)
    {
        using var inspector = LogInspector.Open(bench.Disk, "", RaftGroupId.First);
        return inspector.ReadFrames(from, to).ToList();
    }
}
