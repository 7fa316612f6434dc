using Dledger.Primitives;
using Dledger.Replication.Clocks;
using Dledger.Replication.Loops;
using Dledger.Replication.Queues;
using Dledger.Replication.Writing;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication.Repairing;

/// <summary>
/// Reads the sealed log slowly in the background, and mends what has rotted with frames of the other nodes while this one serves.
/// </summary>
/// <remarks>
/// One pass per <see cref="ReplicationOptions.ScrubInterval"/> at the rate of the log's options. A reader that met damage sends the loop there at once.
/// Damage outside of the sealed part cannot be mended in place: the node then opens its log anew
/// (<see cref="IScrubReports.LogMustReopen"/>). The log writer does the writing.
/// </remarks>
internal sealed class ScrubLoop : ILoop
{
    private const long UrgentRetryMicroseconds = 200_000;
    private const long EmptyPauseMicroseconds = 3_600_000_000;

    private readonly CommitLog _log;
    private readonly LogWriter _writer;
    private readonly LogClock _clock;
    private readonly RangeFetcher _fetcher;
    private readonly IScrubReports _reports;
    private readonly ILogger _logger;
    private readonly long _passInterval;
    private readonly SwapQueue<ScrubNotice> _notices;
    private LogScrubber? _scrubber;
    private List<ScrubNotice> _taken = [];
    private DamagedRange? _damage;
    private bool _isWriting;
    private long _nextStepAt;
    private long _passBegan;
    private bool _isStopped;

    public ScrubLoop(
        CommitLog log,
        LogWriter writer,
        LogClock clock,
        Func<Action<RangeAnswer>, RangeFetcher> makeFetcher,
        IScrubReports reports,
        ReplicationOptions options,
        ILogger logger)
    {
        _log = log;
        _writer = writer;
        _clock = clock;
        _reports = reports;
        _logger = logger;
        _notices = new SwapQueue<ScrubNotice>(Signal);
        _fetcher = makeFetcher(answer => _notices.TryAdd(new AnswerCame(answer)));
        _passInterval = (long)options.ScrubInterval.TotalMicroseconds;
        Name = $"dledger-scrub-{options.Self}";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public WakeSignal Signal { get; } = new();

    /// <summary>Somebody could not read the frame that holds a position. Any thread.</summary>
    public void DamageMet(LogPosition position) => _notices.TryAdd(new DamageWasMet(position));

    /// <summary>The last turn follows. Any thread.</summary>
    public void Stop() => _notices.TryAdd(new StopScrubbing());

    /// <summary>Reads a piece, or moves a repair on.</summary>
    public NextTurn Turn()
    {
        try
        {
            TakeNotices();
            if (_isStopped)
            {
                _notices.Close();
                return NextTurn.Never;
            }

            return _damage is null ? Scrub() : Repair(_damage);
        }
        catch (StorageFaultException fault)
        {
            // Who writes the log meets the fault where it matters; a scrubber only reads.
            ReplicationEvents.ScrubFailed(_logger, fault);
            _notices.Close();
            return NextTurn.Never;
        }
        catch (DamagedFileException fault)
        {
            ReplicationEvents.ScrubFailed(_logger, fault);
            _notices.Close();
            return NextTurn.Never;
        }
    }

    private void TakeNotices()
    {
        _notices.TryTakeAll(ref _taken);
        foreach (var notice in _taken)
        {
            switch (notice)
            {
                case DamageWasMet met when _damage is null:
                    Visit(met.Position);
                    break;
                case AnswerCame came:
                    Receive(came.Answer);
                    break;
                case RangeWritten written:
                    _isWriting = false;
                    Note(written);
                    break;
                case StopScrubbing:
                    _isStopped = true;
                    break;
            }
        }
    }

    private void Visit(LogPosition position)
    {
        if (position >= _log.LastSegmentBase)
        {
            _reports.LogMustReopen($"a frame that holds {position}, in the part that is still written, cannot be read");
            return;
        }

        Scrubber.Seek(position);
        _nextStepAt = 0;
    }

    private NextTurn Scrub()
    {
        var now = _clock.Monotonic();
        if (now < _nextStepAt)
        {
            return After(_nextStepAt - now);
        }

        var step = Scrubber.Step();
        if (step.DamagedHeader is { } header)
        {
            ReplicationEvents.SegmentHeaderRotten(_logger, header);
            _writer.Add(new RepairSegmentHeader(header));
        }

        if (step.Damage is { } damage)
        {
            ReplicationEvents.DamageFound(_logger, damage.From, damage.Reason);
            _damage = damage;
            return NextTurn.AtOnce;
        }

        var pause = (long)Scrubber.PauseAfter(step).TotalMicroseconds;
        if (step.ReadBytes == 0)
        {
            // Nothing is sealed yet.
            pause = Math.Min(_passInterval, EmptyPauseMicroseconds);
        }
        else if (step.IsPassComplete)
        {
            pause = Math.Max(pause, _passInterval - (now - _passBegan));
            _passBegan = now + pause;
        }

        _nextStepAt = now + pause;
        return After(pause);
    }

    private NextTurn Repair(DamagedRange damage)
    {
        var now = _clock.Monotonic();
        if (_isWriting)
        {
            return NextTurn.WhenWoken;
        }

        if (damage.From < _log.Start)
        {
            // Retention was quicker.
            _damage = null;
            return NextTurn.AtOnce;
        }

        if (_fetcher.MayAsk(now))
        {
            _fetcher.Ask(damage.From, (damage.To ?? damage.Minimum) - damage.From);
        }

        var wait = _fetcher.WaitAt(now);
        return wait == long.MaxValue ? NextTurn.WhenWoken : After(wait);
    }

    private void Receive(RangeAnswer answer)
    {
        var now = _clock.Monotonic();
        if (_fetcher.TryTake(answer, now) is { } bytes && _damage is { } damage)
        {
            _isWriting = true;
            _writer.Add(new RepairLogRange(
                damage, bytes, (fault, rest) => _notices.TryAdd(new RangeWritten(bytes.Length, fault, rest))));
        }
    }

    private void Note(RangeWritten written)
    {
        if (written.Fault is { } fault)
        {
            ReplicationEvents.RepairRefused(_logger, _damage!.From, _fetcher.Peer, fault);
            _fetcher.Reject($"the frames of node {_fetcher.Peer} do not fit: {fault}", _clock.Monotonic());
            return;
        }

        ReplicationEvents.RangeRepaired(_logger, _damage!.From, written.Length, _fetcher.Peer);
        _fetcher.Accept();
        _damage = written.Rest;

        // More of the same segment may be damaged: it is read on soon.
        _nextStepAt = _clock.Monotonic() + UrgentRetryMicroseconds;
    }

    private LogScrubber Scrubber => _scrubber ??= _log.CreateScrubber();

    private static NextTurn After(long microseconds) =>
        NextTurn.After((int)Math.Min(int.MaxValue, (microseconds + 999) / 1000));

    private abstract record ScrubNotice;

    private sealed record DamageWasMet(LogPosition Position) : ScrubNotice;

    private sealed record AnswerCame(RangeAnswer Answer) : ScrubNotice;

    private sealed record RangeWritten(int Length, string? Fault, DamagedRange? Rest) : ScrubNotice;

    private sealed record StopScrubbing : ScrubNotice;
}
