using Dledger.Primitives;
using Dledger.Replication.Clocks;
using Dledger.Replication.Writing;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;
using Dledger.Storage.Metadata;
using Dledger.Storage.Records;
using Dledger.Testing.Clocks;
using Dledger.Testing.Disks;

namespace Dledger.Replication.Tests.Writing;

public sealed class LogWriterTests : IDisposable
{
    private const string Segment = "log/00000000000000000000";
    private const int SegmentHeaderBytes = 4096;

    private static readonly LogIdentity Identity = new(Guid.AllBitsSet, Guid.AllBitsSet, RaftGroupId.First);
    private static readonly NodeMetadata Metadata = new() { Node = new NodeId(1), StorageId = Identity.StorageId };

    private readonly SimulatedDisk _disk = new(1);
    private readonly Reports _reports = new();
    private readonly CommitLog _log;
    private readonly LogWriter _writer;

    public LogWriterTests()
    {
        var time = new ManualClock();
        _disk.CreateDirectory("log");
        _log = CommitLog.Open(_disk, "log", new CommitLogOptions(), Identity, time, createIfEmpty: true).Log!;
        var meta = MetaFile.Create(_disk, "meta", Metadata);
        _writer = new LogWriter(_log, meta, new LogClock(time), FlushMode.QuorumSync, _reports, "writer");
    }

    [Fact]
    public void A_log_whose_new_end_is_rotten_is_not_cut_and_takes_nothing_until_it_is_opened_anew()
    {
        var kept = Append();
        var cut = Append();
        var end = _log.Tail.End;
        _disk.Corrupt(Segment, SegmentHeaderBytes + kept.Base.Value);

        _writer.Add(new CutLog(cut.Base));
        _writer.Add(new WriteFrames(2, end, [Frame()]));
        _writer.Add(new WriteMetadata(7, Metadata with { Term = new Term(2) }));
        _writer.Turn();

        Assert.Contains("no frame begins", Assert.Single(_reports.Damages), StringComparison.Ordinal);
        Assert.Empty(_reports.Faults);
        Assert.Equal(end, _log.Tail.End);
        Assert.Equal([end], _reports.Durable);
        Assert.Equal([7L], _reports.Versions);
        Assert.Null(_writer.BusySince);
    }

    public void Dispose() => _log.Dispose();

    private FrameHeader Append()
    {
        var frame = Frame();
        Assert.True(FrameHeader.TryParse(frame, Identity.Seed, frame.Length, out var header, out _));
        _writer.Add(new WriteFrames(1, header.End, [frame]));
        _writer.Turn();
        _reports.Durable.RemoveRange(0, _reports.Durable.Count - 1);
        return header;
    }

    private byte[] Frame()
    {
        var isFirst = _log.Tail.Term < new Term(1);
        var record = RecordEncoder.Encode(
            new RecordFields { Kind = isFirst ? RecordKind.TermStart : RecordKind.Message }, [], [], new byte[100]);
        return FrameBuilder.Build(
            _log.Tail,
            new Term(1),
            1,
            default,
            isFirst ? FrameFlags.TermStart : FrameFlags.None,
            new NodeId(1),
            [record],
            Identity.Seed);
    }

    private sealed class Reports : ILogWriterReports
    {
        public List<LogPosition> Durable { get; } = [];

        public List<long> Versions { get; } = [];

        public List<string> Damages { get; } = [];

        public List<Exception> Faults { get; } = [];

        public void LogDurable(LogPosition position, uint generation, int workCount) => Durable.Add(position);

        public void MetadataDurable(long version) => Versions.Add(version);

        public void LogIsDamaged(string reason) => Damages.Add(reason);

        public void WriterFailed(Exception fault) => Faults.Add(fault);
    }
}
