using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Messages;
using Dledger.Replication.CatchingUp;
using Dledger.Replication.Clocks;
using Dledger.Replication.Tails;
using Dledger.Replication.Writing;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;

namespace Dledger.Replication.Driving;

/// <summary>
/// The end of the own log as the replication loop works on it: cut, take over, truncate, hand out ranges.
/// </summary>
/// <remarks>
/// Frames are in the tail cache at once and on disk when the writer says so. The same bytes go to the writer, the peers
/// and the apply loop. Owned by the replication loop.
/// </remarks>
internal sealed class LocalLog
{
    private const int CheckpointAskBytes = 32 << 20;
    private const int RangeSegmentsMax = 16;

    private readonly CommitLog _log;
    private readonly TailCache _cache;
    private readonly LogWriter _writer;
    private readonly LogClock _clock;
    private readonly NodeId _self;
    private readonly ClusterSeed _seed;
    private readonly List<CachedFrame> _frames = [];
    private readonly List<ReadFrames> _reads = [];
    private ChainTail _tail;
    private LogPosition _checkpointAsked;

    public LocalLog(LoopSurroundings around)
    {
        _log = around.Log;
        _cache = around.Cache;
        _writer = around.Writer;
        _clock = around.Clock;
        _self = around.Options.Self;
        _seed = around.Log.Identity.Seed;
        _tail = around.Recovery.Tail;
        _checkpointAsked = around.Restored;
        OnDisk = _tail.End;
        _clock.Observe(_tail.LogTime);
    }

    /// <summary>Term of the last frame.</summary>
    public Term LastTerm => _tail.Term;

    /// <summary>Everything before it is on disk in the present write generation.</summary>
    public LogPosition OnDisk { get; private set; }

    /// <summary>Writes given to the writer and not yet reported.</summary>
    public int OutstandingWrites { get; private set; }

    /// <summary>
    /// Builds the frame that continues the log. The core is told by the caller and answers with the write.
    /// </summary>
    public FrameSummary Cut(
        FrameFlags flags, Term term, LogPosition commit, IReadOnlyList<ReadOnlyMemory<byte>> records)
    {
        var hint = LogPosition.Min(commit, _tail.End);
        return Add(FrameBuilder.Build(_tail, term, _clock.Now(), hint, flags, _self, records, _seed)).Header.Summary;
    }

    /// <summary>
    /// Hands frames to the writer: those just cut, or those of an append, which become part of the log here.
    /// </summary>
    public void Write(WriteRange write)
    {
        var frames = new List<ReadOnlyMemory<byte>>();
        if (write.Source is { } source)
        {
            var rest = source.Bytes.Slice((int)(write.Base - source.Previous), (int)(write.End - write.Base));
            while (!rest.IsEmpty)
            {
                var frame = Add(rest);
                frames.Add(frame.Bytes);
                rest = rest[frame.Bytes.Length..];
            }
        }
        else
        {
            _frames.Clear();
            Invariant.Check(
                _cache.TryCollect(write.Base, write.End, _frames), $"frames {write.Base} to {write.End} are cached");
            frames.AddRange(_frames.Select(frame => frame.Bytes));
        }

        OutstandingWrites++;
        _writer.Add(new WriteFrames(write.Generation, write.End, frames));
    }

    /// <summary>
    /// The writer has reported a batch; one of an older generation says nothing about the present bytes (I19).
    /// </summary>
    public void Synced(LogSynced synced, bool isCurrent)
    {
        OutstandingWrites -= synced.WorkCount;
        OnDisk = isCurrent ? synced.Position : OnDisk;
    }

    /// <summary>Lets the writer note a committed prefix in the log checkpoint now and then.</summary>
    public void Committed(LogPosition position)
    {
        if (position - _checkpointAsked >= CheckpointAskBytes)
        {
            _checkpointAsked = position;
            _writer.Add(new CheckpointLog(position));
        }
    }

    /// <summary>Cuts the log at a frame boundary.</summary>
    public void Truncate(LogPosition position)
    {
        _tail = TailAt(position);
        _cache.TruncateTo(position);
        OnDisk = LogPosition.Min(OnDisk, position);
        _writer.Add(new CutLog(position));
    }

    /// <summary>Lets go of old frames; to be called when all that the core wanted of them is done.</summary>
    public void Evict() => _cache.Evict(OnDisk);

    /// <summary>Keeps frames that were read from disk for the append that the core made of them.</summary>
    public void Keep(ReadFrames read) => _reads.Add(read);

    /// <summary>This node leads no more.</summary>
    public void ForgetReads() => _reads.Clear();

    /// <summary>
    /// The bytes of an append's range, which are in the tail cache or were read for it; null when they are no longer there. The core
    /// holds messages back while term and vote are being written, and the cache does not wait for that.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>>? RangeOf(AppendRequest append)
    {
        var index = _reads.FindIndex(read => read.Request.From == append.Previous && read.End == append.RangeEnd);
        if (index >= 0)
        {
            var bytes = _reads[index].Bytes;
            _reads.RemoveAt(index);
            return [bytes];
        }

        _frames.Clear();
        return _cache.TryCollect(append.Previous, append.RangeEnd, _frames) ? Gather(append) : null;
    }

    private List<ReadOnlyMemory<byte>> Gather(AppendRequest append)
    {
        if (_frames.Count <= RangeSegmentsMax)
        {
            return [.. _frames.Select(frame => frame.Bytes)];
        }

        // Many small frames: one buffer.
        var bytes = GC.AllocateUninitializedArray<byte>((int)(append.RangeEnd - append.Previous));
        foreach (var frame in _frames)
        {
            frame.Bytes.CopyTo(bytes.AsMemory((int)(frame.Base - append.Previous)));
        }

        return [bytes];
    }

    private CachedFrame Add(ReadOnlyMemory<byte> bytes)
    {
        Invariant.Check(
            FrameHeader.TryParse(bytes.Span, _seed, _log.Options.FrameBytesMax, out var header, out var fault),
            $"a checked frame cannot be read: {fault}");
        var frame = new CachedFrame(header, bytes[..header.FrameLength]);
        _cache.Append(frame);
        _tail = header.Tail;
        _clock.Observe(header.LogTime);
        return frame;
    }

    // The first frame that goes names the one before it, which becomes the last.
    private ChainTail TailAt(LogPosition position)
    {
        if (position == _tail.End)
        {
            return _tail;
        }

        return position == LogPosition.Zero
            ? ChainTail.Genesis(_seed)
            : HeaderAt(position + -HeaderAt(position).PreviousFrameLength).Tail;
    }

    private FrameHeader HeaderAt(LogPosition position)
    {
        Span<byte> bytes = stackalloc byte[FrameHeader.Size];
        bytes.Clear();
        LogReading.Read(_cache, _log, position, bytes, settled: LogPosition.Zero);
        Invariant.Check(
            FrameHeader.TryParse(bytes, _seed, _log.Options.FrameBytesMax, out var header, out var fault),
            $"frame {position} cannot be read: {fault}");
        return header;
    }
}
