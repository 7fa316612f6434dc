using Dledger.Primitives;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;

namespace Dledger.Storage.Tests.Logs;

/// <summary>
/// A random life of a log with the model beside it: what must be there after a crash, and what may be there.
/// </summary>
/// <remarks>
/// After a crash the log must be a prefix of <see cref="_mayBeThere"/>, not shorter than <see cref="_mustBeThere"/>,
/// and end at a frame boundary.
/// </remarks>
internal sealed class LogStory(LogBench bench)
{
    private readonly List<byte[]> _frames = [];
    private CommitLog? _log;
    private SegmentPreparer? _preparer;
    private Term _term = new(0);
    private LogPosition _committed;
    private List<byte[]> _mayBeThere = [];
    private LogPosition _mustBeThere;
    private LogPosition _startDone;
    private LogPosition _startTried;

    public int AdvanceCount { get; private set; }

    public int TruncationCount { get; private set; }

    public int RollCount { get; private set; }

    /// <summary>Opens the log and checks it against the model; a crash may come in between.</summary>
    public void Recover()
    {
        var recovery = bench.Open(createIfEmpty: _mustBeThere == LogPosition.Zero && _term == Term.Zero);
        Assert.True(recovery.Damage is null, $"no damage after a crash: {recovery.Damage}");
        _log = recovery.Log!;
        _preparer = _log.CreatePreparer();

        // I10, I14, I15: a valid prefix with everything that was promised.
        Assert.True(recovery.Tail.End >= _mustBeThere, $"end {recovery.Tail.End} covers {_mustBeThere}");
        Assert.True(recovery.CommitHint <= recovery.Tail.End);
        var bytes = LogBench.ReadAll(_log);
        _frames.Clear();
        var start = _log.Start;
        Assert.True(start >= _startDone && start <= _startTried, $"start {start} within {_startDone}..{_startTried}");
        _startDone = start;
        var tail = ChainTail.Genesis(LogBench.Identity.Seed);
        var epochs = new EpochTable(LogPosition.Zero, Term.Zero);
        foreach (var frame in _mayBeThere.TakeWhile(_ => tail.End < recovery.Tail.End))
        {
            var at = (int)(tail.End - start);
            var isSame = at < 0 || frame.AsSpan().SequenceEqual(bytes.AsSpan(at, frame.Length));
            Assert.True(isSame, $"frame at {tail.End} is the one written");
            var header = LogBench.HeaderOf(frame);
            if ((header.Flags & FrameFlags.TermStart) != 0)
            {
                epochs.Append(new Epoch(header.Term, header.Base));
            }

            tail = header.Tail;
            _frames.Add(frame);
        }

        // I11, I12.
        epochs.AdvanceStart(start);
        Assert.Equal(tail, recovery.Tail);
        Assert.Equal(epochs.Epochs, recovery.Epochs.Epochs);
        Assert.True(recovery.Watermark <= recovery.Tail.End);
        Assert.Equal(tail.End, _log.DurableEnd);
        _mayBeThere = [.. _frames];
        _mustBeThere = tail.End;
    }

    /// <summary>One random step; a crash may come in between.</summary>
    public void Step()
    {
        var log = _log!;
        switch (bench.Random.Next(14))
        {
            case < 5:
                AppendSome();
                break;
            case < 8:
                log.Sync();
                break;
            case 8:
                log.SyncWatermark();
                break;
            case 9:
                bench.Clock.Advance(TimeSpan.FromMilliseconds(40));
                for (var i = 0; i < 6; i++)
                {
                    _preparer!.Step();
                }

                break;
            case 10:
                _committed = RandomBoundary(_committed, log.DurableEnd);
                log.WriteLogCheckpoint(_committed);
                break;
            case 11:
                AdvanceStart();
                break;
            case 12:
                log.RetireExpired();
                break;
            default:
                Truncate();
                break;
        }

        NotePromises();
    }

    /// <summary>What was promised so far; also after a crash, as a sync inside an append may have finished.</summary>
    public void NotePromises()
    {
        if (_log is { } log)
        {
            _mustBeThere = LogPosition.Max(_mustBeThere, log.DurableEnd);
            RollCount = Math.Max(RollCount, log.SegmentCount);
        }
    }

    private void AppendSome()
    {
        if (_term == Term.Zero || bench.Random.Next(8) == 0)
        {
            _term = _term.Next();
        }

        var frames = bench.Frames(_log!.Tail, _term, bench.Random.Next(1, 12));
        _mayBeThere.AddRange(frames.Select(frame => frame.ToArray()));
        _log.Append(frames);
        _frames.AddRange(frames.Select(frame => frame.ToArray()));
    }

    private void AdvanceStart()
    {
        _committed = RandomBoundary(_committed, _log!.DurableEnd);
        var to = RandomBoundary(_log.Start, _committed);
        _startTried = LogPosition.Max(_startTried, to);
        var before = _log.Start;
        _startDone = _log.AdvanceStart(to, _committed);
        Assert.True(_startDone >= before && _startDone <= to, $"start {_startDone} within {before}..{to}");
        Assert.Equal(0, _log.Read(_startDone + -1, new byte[1]));
        AdvanceCount += _startDone > before ? 1 : 0;
    }

    private void Truncate()
    {
        var target = RandomBoundary(LogPosition.Max(_committed, _log!.Start), _log.Tail.End);
        TruncationCount += target < _log.Tail.End ? 1 : 0;

        // From here on only the prefix is promised. A crash may leave any longer prefix of the old log.
        _mustBeThere = LogPosition.Min(_mustBeThere, target);
        _log.TruncateTo(target);
        var end = 0L;
        var kept = _frames.TakeWhile(frame => (end += frame.Length) <= target.Value).ToList();
        _frames.Clear();
        _frames.AddRange(kept);
        _mayBeThere = [.. kept];

        // The conflict came from a leader of a newer term.
        _term = _term.Next();
    }

    private LogPosition RandomBoundary(LogPosition from, LogPosition to)
    {
        var boundaries = new List<LogPosition> { LogPosition.Zero };
        foreach (var frame in _frames)
        {
            boundaries.Add(boundaries[^1] + frame.Length);
        }

        var eligible = boundaries.Where(boundary => boundary >= from && boundary <= to).ToList();
        return eligible[bench.Random.Next(eligible.Count)];
    }
}
