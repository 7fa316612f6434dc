using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Replication.Clocks;
using Dledger.Replication.Loops;
using Dledger.Replication.Queues;
using Dledger.Replication.Tails;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;

namespace Dledger.Replication.CatchingUp;

/// <summary>
/// Reads and verifies what peers lack and the tail cache no longer holds, so that the replication loop never waits for a disk.
/// </summary>
/// <remarks>
/// One range per peer at a time. It keeps to a rate, for the peers share their disks and their network with the producers; every byte
/// that the log grows by earns two more, so a peer gains on any load.
/// </remarks>
internal sealed class RangeReader : ILoop
{
    private readonly CommitLog _log;
    private readonly TailCache _cache;
    private readonly LogClock _clock;
    private readonly Action<ReadFrames> _deliver;
    private readonly long _bytesPerSecond;
    private readonly SwapQueue<ReadRange> _requests;
    private readonly List<ReadRange> _waiting = [];
    private List<ReadRange> _taken = [];
    private LogPosition _lastEnd;
    private long _notBefore;
    private volatile bool _isStopped;

    public RangeReader(CommitLog log, TailCache cache, LogClock clock, ReplicationOptions options, Action<ReadFrames> deliver)
    {
        _log = log;
        _cache = cache;
        _clock = clock;
        _deliver = deliver;
        _bytesPerSecond = options.CatchUpBytesPerSecond;
        _lastEnd = cache.End;
        _requests = new SwapQueue<ReadRange>(Signal);
        Name = $"dledger-catch-up-{options.Self}";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public WakeSignal Signal { get; } = new();

    /// <summary>Takes a request; an older one of the same peer is forgotten. Any thread.</summary>
    public void Read(ReadRange request) => _requests.TryAdd(request);

    /// <summary>The last turn follows. Any thread.</summary>
    public void Stop()
    {
        _isStopped = true;
        Signal.Set();
    }

    /// <summary>Reads one range, when it is time.</summary>
    public NextTurn Turn()
    {
        if (_isStopped)
        {
            _requests.Close();
            return NextTurn.Never;
        }

        _requests.TryTakeAll(ref _taken);
        foreach (var request in _taken)
        {
            _waiting.RemoveAll(older => older.Peer == request.Peer);
            _waiting.Add(request);
        }

        if (_waiting.Count == 0)
        {
            return NextTurn.WhenWoken;
        }

        var now = _clock.Monotonic();
        if (now < _notBefore)
        {
            return NextTurn.After((int)((_notBefore - now + 999) / 1000));
        }

        var next = _waiting[0];
        _waiting.RemoveAt(0);
        var frames = ReadWhole(next);
        Pay(now, frames.Bytes.Length);
        _deliver(frames);
        return NextTurn.AtOnce;
    }

    private void Pay(long now, int bytes)
    {
        var end = _cache.End;
        var earned = 2 * Math.Max(0, end - _lastEnd);
        _lastEnd = end;
        _notBefore = Math.Max(_notBefore, now) + (Math.Max(0, bytes - earned) * 1_000_000 / _bytesPerSecond);
    }

    private ReadFrames ReadWhole(ReadRange request)
    {
        try
        {
            var bytes = ReadBytes(request.From, Math.Max(FrameHeader.Size, request.BytesMax));
            if (bytes.Length >= FrameHeader.Size
                && FrameHeader.TryParse(bytes.Span, _log.Identity.Seed, _log.Options.FrameBytesMax, out var first, out _)
                && first.FrameLength > bytes.Length)
            {
                bytes = ReadBytes(request.From, first.FrameLength);
            }

            return CutToFrames(request, bytes);
        }
        catch (StorageFaultException fault) when (fault.Errno == StorageFaultException.DeviceError)
        {
            // A place that gives no bytes is as damaged as one that gives wrong ones.
            return new ReadFrames(request, default, request.From, HeaderCrc: 0);
        }
    }

    // Behind the cache's start the CommitLog may hold what the core has cut away.
    private Memory<byte> ReadBytes(LogPosition from, int bytesMax)
    {
        var bytes = GC.AllocateUninitializedArray<byte>((int)Math.Clamp(_cache.Start - from, 0, bytesMax));
        return bytes.AsMemory(0, _log.Read(from, bytes));
    }

    // The receiver checks every frame and would close the connection for a bad one, again and again, without saying why.
    private ReadFrames CutToFrames(ReadRange request, ReadOnlyMemory<byte> bytes)
    {
        var end = request.From;
        var headerCrc = 0U;
        var length = 0;
        while (FrameReader.TryReadAlone(
            bytes.Span[length..], end, _log.Identity.Seed, _log.Options.FrameBytesMax, out var frame, out _))
        {
            length += frame.Header.FrameLength;
            end = frame.Header.End;
            headerCrc = frame.Header.HeaderCrc;
        }

        return new ReadFrames(request, bytes[..length], end, headerCrc);
    }
}
