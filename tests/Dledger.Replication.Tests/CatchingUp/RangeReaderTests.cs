using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Replication.CatchingUp;
using Dledger.Replication.Clocks;
using Dledger.Replication.Tails;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;
using Dledger.Storage.Records;
using Dledger.Testing.Clocks;
using Dledger.Testing.Disks;

namespace Dledger.Replication.Tests.CatchingUp;

public sealed class RangeReaderTests : IDisposable
{
    private const int FrameBytes = 1 << 10;
    private const int FrameCount = 20;
    private const int Rate = 100 * FrameBytes;

    private static readonly LogIdentity Identity = new(Guid.AllBitsSet, Guid.AllBitsSet, RaftGroupId.First);

    private readonly SimulatedDisk _disk = new(1);
    private readonly ManualClock _time = new();
    private readonly CommitLog _log;
    private readonly TailCache _cache;
    private readonly RangeReader _reader;
    private readonly List<ReadFrames> _delivered = [];
    private long _number;

    public RangeReaderTests()
    {
        _log = CommitLog.Open(_disk, "log", new CommitLogOptions(), Identity, _time, createIfEmpty: true).Log!;
        for (var i = 0; i < FrameCount; i++)
        {
            Append();
        }

        _cache = new TailCache(_log.Tail.End, 1 << 20);
        var self = new ClusterMember(new NodeId(1), "", 0);
        var options = new ReplicationOptions { Self = self.Node, Members = [self], CatchUpBytesPerSecond = Rate };
        _reader = new RangeReader(_log, _cache, new LogClock(_time), options, _delivered.Add);
    }

    [Theory]
    [InlineData(0, 4 * FrameBytes, 4)]
    [InlineData(3, (5 * FrameBytes) - 1, 4)]
    [InlineData(0, 1 << 20, FrameCount)]
    [InlineData(FrameCount - 1, 1 << 20, 1)]
    [InlineData(7, 10, 1)]
    [InlineData(7, FrameBytes - 8, 1)]
    public void Whole_frames_are_read_at_least_one_and_none_behind_the_cache(int first, int bytesMax, int count)
    {
        var frames = Read(2, first * FrameBytes, bytesMax);

        Assert.Equal((first + count) * FrameBytes, frames.End.Value);
        Assert.Equal(count * FrameBytes, frames.Bytes.Length);
        Assert.True(_log.TryReadChain(frames.End, out var chain));
        Assert.Equal(chain, frames.HeaderCrc);
    }

    [Fact]
    public void A_range_ends_before_a_rotten_frame_and_one_that_begins_there_is_empty()
    {
        var segment = _disk.List("log").Single(name => long.TryParse(name, out _));
        _disk.Corrupt($"log/{segment}", CommitLogOptions.SegmentHeaderBytes + (5 * FrameBytes) + 700);

        Assert.Equal(5 * FrameBytes, Read(2, 0, 1 << 20).End.Value);
        Assert.True(Read(2, 5 * FrameBytes, 1 << 20).Bytes.IsEmpty);
    }

    [Fact]
    public void A_place_that_gives_a_read_error_is_empty_too()
    {
        _disk.ReadFails = (_, _, _) => true;

        Assert.True(Read(2, 0, 1 << 20).Bytes.IsEmpty);
    }

    [Fact]
    public void A_newer_request_of_a_peer_takes_the_place_of_an_older_one()
    {
        Ask(2, 0, FrameBytes);
        Ask(3, 0, FrameBytes);
        Ask(2, 4 * FrameBytes, FrameBytes);

        TurnUntilIdle();

        Assert.Equal([(3, 0), (2, 4 * FrameBytes)], _delivered.Select(each => (each.Request.Peer.Value, (int)each.Request.From.Value)));
    }

    [Fact]
    public void The_rate_is_kept_for_all_peers_together()
    {
        for (var i = 0; i < 10; i++)
        {
            Read(2 + (i % 2), 0, FrameBytes);
        }

        // The first one is read at once, and the last one is not paid for yet.
        Assert.InRange(_time.GetElapsedTime(0), TimeSpan.FromMilliseconds(85), TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public void Growth_of_the_log_earns_twice_its_bytes()
    {
        for (var i = 0; i < 10; i++)
        {
            Read(2, 0, 2 * FrameBytes);
            _cache.Append(Append());
        }

        Assert.InRange(_time.GetElapsedTime(0), TimeSpan.Zero, TimeSpan.FromMilliseconds(40));
    }

    [Fact]
    public void Nothing_is_read_after_the_stop()
    {
        Ask(2, 0, FrameBytes);
        _reader.Stop();

        Assert.True(_reader.Turn().IsNever);
        Assert.Empty(_delivered);
    }

    public void Dispose() => _log.Dispose();

    private ReadFrames Read(int peer, long from, int bytesMax)
    {
        _delivered.Clear();
        Ask(peer, from, bytesMax);
        TurnUntilIdle();
        return Assert.Single(_delivered);
    }

    private void Ask(int peer, long from, int bytesMax) =>
        _reader.Read(new ReadRange(new NodeId(peer), Session: 1, ++_number, new LogPosition(from), bytesMax));

    private void TurnUntilIdle()
    {
        for (var next = _reader.Turn(); next != Loops.NextTurn.WhenWoken; next = _reader.Turn())
        {
            _time.Advance(TimeSpan.FromMilliseconds(next.Milliseconds));
        }
    }

    private CachedFrame Append()
    {
        var body = new byte[FrameBytes - FrameHeader.Size - RecordHeader.Size];
        var record = RecordEncoder.Encode(new RecordFields { Kind = RecordKind.TermStart }, [], [], body);
        var flags = _log.Tail.End == LogPosition.Zero ? FrameFlags.TermStart : FrameFlags.None;
        var bytes = FrameBuilder.Build(
            _log.Tail, new Term(1), 1, LogPosition.Zero, flags, new NodeId(1), [record], Identity.Seed);
        _log.Append([bytes]);
        _log.Sync();
        Assert.True(FrameHeader.TryParse(bytes, Identity.Seed, bytes.Length, out var header, out _));
        return new CachedFrame(header, bytes);
    }
}
