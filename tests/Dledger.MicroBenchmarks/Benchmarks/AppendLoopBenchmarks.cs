using BenchmarkDotNet.Attributes;
using Dledger.Primitives;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;
using Dledger.Storage.Records;
using Dledger.Testing.Disks;

namespace Dledger.MicroBenchmarks.Benchmarks;

/// <summary>A leader's own work for a batch: cut a frame, append it, sync. The disk takes everything and keeps nothing.</summary>
[MemoryDiagnoser]
public class AppendLoopBenchmarks
{
    private static readonly LogIdentity Identity = new(Guid.AllBitsSet, Guid.AllBitsSet, RaftGroupId.First);

    private readonly List<ReadOnlyMemory<byte>> _frames = [];
    private ReadOnlyMemory<byte>[] _records = [];
    private CommitLog? _log;

    [Params(1, 64)]
    public int RecordCount { get; set; }

    [GlobalSetup]
    public void OpenLog()
    {
        var record = RecordEncoder.Encode(new RecordFields { Kind = RecordKind.Message }, "id"u8, [], new byte[1024]);
        _records = [.. Enumerable.Repeat((ReadOnlyMemory<byte>)record, RecordCount)];
        var disk = new NullDisk(new SimulatedDisk(1));
        _log = CommitLog.Open(disk, "log", new CommitLogOptions { SegmentBytes = 1 << 30 }, Identity, TimeProvider.System).Log;
        disk.IsMuted = true;
    }

    [Benchmark]
    public LogPosition Append()
    {
        var log = _log!;
        _frames.Clear();
        _frames.Add(FrameBuilder.Build(
            log.Tail, new Term(1), 1, log.DurableEnd, FrameFlags.None, new NodeId(1), _records, log.Seed));
        log.Append(_frames);
        return log.Sync();
    }
}
