using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Messages;

namespace Dledger.Raft.Logs;

/// <summary>The receiving side of replication (Raft section 5.3) for the leader of the present term.</summary>
/// <remarks>
/// <code>
/// Commit &lt;= Verified &lt;= End      acknowledged = min(Durable, Verified)
/// </code>
/// Verified is the highest position known to equal the log of the present leader. Bytes behind it are an older tail: never
/// acknowledged, never committed, and cut only when a frame of the leader differs from them.
/// </remarks>
internal sealed class FollowerLog(RaftState state)
{
    private readonly RaftState _state = state;
    private readonly LocalLog _log = state.Log;
    private Term _term;
    private int _rejectedStream = -1;
    private int _stream;
    private long _sentAt;
    private long _unacknowledgedBytes;
    private LogPosition _verified;
    private LogPosition? _lossTarget;

    /// <summary>The leader's connection in the present term; 0 when it has sent nothing yet.</summary>
    public long Session { get; private set; }

    public LogPosition Verified => Session == 0 || _term != _state.Term ? _log.Commit : _verified;

    /// <summary>Notes the connection of an append of the present term; false when a newer one is known (I18).</summary>
    public bool TryEnter(AppendRequest request)
    {
        if (_term != request.Term)
        {
            _term = request.Term;
            Session = 0;
            _lossTarget = null;
        }

        if (request.Session < Session)
        {
            return _state.Options.Defect == SeededDefect.StaleSessionAccepted;
        }

        if (request.Session > Session)
        {
            // The committed prefix is in every legal leader's log; all else must be compared anew.
            Session = request.Session;
            _verified = _log.Commit;
            _lossTarget = null;
            _rejectedStream = -1;
            _stream = 0;
            _sentAt = 0;
            _unacknowledgedBytes = 0;
        }

        return true;
    }

    /// <summary>Steps an append of the present term, whose durability in the meta file is given.</summary>
    public void Handle(long now, AppendRequest request)
    {
        Invariant.Check(_state.TermDurable >= request.Term, $"I3: append of term {request.Term}, durable term {_state.TermDurable}");
        if (_state.Options.Defect != SeededDefect.StaleSessionAccepted
            && (request.Session != Session
                || (request.Stream <= _rejectedStream && _state.Options.Defect != SeededDefect.StreamIgnored)))
        {
            // The rejection itself may have been lost. The leader reacts to one rejection per stream, so saying it again
            // is harmless, and heart-beats bound how often.
            if (request.Session == Session && request.Stream == _rejectedStream && request.IsEmpty)
            {
                Reject(now, request);
            }

            return;
        }

        if (!Matches(request))
        {
            if (_state.HaltReason is null && (!request.IsEmpty || request.Previous > Verified))
            {
                Reject(now, request);
            }

            return;
        }

        if (!request.IsEmpty && FindFault(request) is { } fault)
        {
            _state.Effects.Add(new CloseSession(request.From, request.Session, fault));
            return;
        }

        _stream = Math.Max(_stream, request.Stream);
        _sentAt = Math.Max(_sentAt, request.SentAt);
        if (!request.IsEmpty && !TryAccept(request))
        {
            return;
        }

        if (request.IsEmpty && _state.Options.Defect == SeededDefect.TruncateOnHeartbeat
            && request.Previous < _log.End && request.Previous >= _log.Commit)
        {
            _log.TruncateTo(request.Previous);
        }

        _verified = LogPosition.Max(_verified, request.RangeEnd);
        Invariant.Check(_verified <= _log.End, $"I17: verified {_verified} <= end {_log.End}");
        _log.AdvanceCommit(_state.Options.Defect == SeededDefect.FollowerCommitBeyondVerified
            ? LogPosition.Min(request.Commit, _log.End)
            : LogPosition.Min(request.Commit, _verified));
        Invariant.Check(
            _log.Commit <= _verified || _state.Options.Defect == SeededDefect.FollowerCommitBeyondVerified,
            $"I24: commit {_log.Commit} <= verified {_verified}");

        AimToClearLoss(request);

        // One ack per sync, unless nothing is left to sync or the leader's window might close meanwhile.
        _unacknowledgedBytes += request.RangeEnd - request.Previous;
        if (request.IsEmpty || _log.Durable >= _verified
            || _unacknowledgedBytes > _state.Options.WindowBytesMax / 2
            || _state.Options.Defect == SeededDefect.AckBeforeSync)
        {
            Acknowledge(now);
        }
    }

    /// <summary>Tells the leader what is durable; nothing when no leader has sent anything in this term.</summary>
    public void Acknowledge(long now)
    {
        if (_state.Leader == NodeId.None || Session == 0 || _term != _state.Term)
        {
            return;
        }

        _unacknowledgedBytes = 0;
        _state.Send(_state.Leader, CreateReply(now, mismatch: null, _stream, _sentAt));
    }

    /// <summary>
    /// Clears the loss flag when everything is here again that the node can have helped to commit before its loss (2.22).
    /// </summary>
    public void TryClearLoss()
    {
        if (_lossTarget is { } target && LogPosition.Min(_log.Durable, _verified) >= target)
        {
            _lossTarget = null;
            _state.ClearLoss();
        }
    }

    /// <summary>
    /// A commit position of this session lies beyond all that the leader counted this node for before, as it set the match back
    /// when the session was opened. Beyond the leader's first frame it also covers what older leaders committed.
    /// </summary>
    private void AimToClearLoss(AppendRequest request)
    {
        if (!_state.HasLoss || _lossTarget is not null)
        {
            return;
        }

        var isOfLeadersTerm = _log.Epochs.FindStart(_state.Term) is { } start && request.Commit > start;
        if (isOfLeadersTerm || _state.Options.Defect == SeededDefect.LossFlagClearedEarly)
        {
            _lossTarget = request.Commit;
            TryClearLoss();
        }
    }

    private AppendReply CreateReply(long now, LogMismatch? mismatch, int stream, long sentAt) => new()
    {
        From = _state.Options.Self,
        Session = Session,
        Term = _state.Term,
        Stream = stream,
        SentAt = sentAt,
        Durable = _state.Options.Defect switch
        {
            SeededDefect.AckBeforeSync => _verified,
            SeededDefect.AckOwnUnverifiedTail => _log.Durable,
            _ => LogPosition.Min(_log.Durable, _verified),
        },
        Received = LogPosition.Min(_verified, _log.Durable + _state.Options.UnsyncedBytesMax),
        Applied = _state.Applied,
        SyncAge = _state.SyncAge(now),
        DiskUsedPercent = _state.DiskUsedPercent,
        Mismatch = mismatch,
    };

    private bool Matches(AppendRequest request)
    {
        if (request.Previous < _log.Start)
        {
            return true;
        }

        if (_state.Options.Defect == SeededDefect.NoPreviousTermCheck)
        {
            return request.Previous <= _log.End && _log.TryGetChain(request.Previous, out _);
        }

        if (!_log.HasFrameEnd(request.Previous, request.PreviousTerm))
        {
            return false;
        }

        _log.TryGetChain(request.Previous, out var chain);
        if (chain != request.PreviousChain)
        {
            _state.Halt(
                $"logs differ though term {request.PreviousTerm} ends at {request.Previous} in both: chain {chain}, "
                + $"leader {request.From} has {request.PreviousChain} (I9)");
            return false;
        }

        return true;
    }

    private void Reject(long now, AppendRequest request)
    {
        _rejectedStream = request.Stream;
        if (request.IsAtLogStart)
        {
            _state.Effects.Add(new SnapshotNeeded(request.From));
        }

        _state.Send(request.From, CreateReply(now, Outline(request.Previous), request.Stream, request.SentAt));
    }

    /// <summary>
    /// The newest epochs of the log; when the leader already probes before all of those, the newest that begin before its probe.
    /// </summary>
    private LogMismatch Outline(LogPosition previous)
    {
        var epochs = _log.Epochs.Epochs;
        var count = epochs.Count;
        var end = _log.End;
        while (count > LogMismatch.EpochCountMax && epochs[count - LogMismatch.EpochCountMax].Start >= previous)
        {
            count--;
            end = epochs[count].Start;
        }

        var first = Math.Max(0, count - LogMismatch.EpochCountMax);
        var outlined = new Epoch[count - first];
        for (var i = first; i < count; i++)
        {
            outlined[i - first] = epochs[i];
        }

        return new LogMismatch(_log.Start, end, outlined, IsCutShort: first > 0);
    }

    /// <summary>What is wrong with the range as such; the driver has checked the bytes of each frame.</summary>
    private static string? FindFault(AppendRequest request)
    {
        var frames = request.Frames;
        if (frames.Count == 0)
        {
            return $"range {request.Previous} to {request.RangeEnd} without frames";
        }

        var position = request.Previous;
        var chain = request.PreviousChain;
        var term = request.PreviousTerm;
        foreach (var frame in frames)
        {
            if (frame.Base != position || frame.Length <= 0 || frame.PreviousHeaderCrc != chain
                || frame.Term < term || frame.Term > request.Term)
            {
                return $"frame at {frame.Base} does not continue position {position}, chain {chain}, term {term}";
            }

            if (frame.Flags.HasFlag(FrameFlags.Configuration) != request.FindConfiguration(frame) is not null)
            {
                return $"frame at {frame.Base} has flags {frame.Flags}, but its configuration does not fit that";
            }

            position = frame.End;
            chain = frame.HeaderCrc;
            term = frame.Term;
        }

        return position == request.RangeEnd ? null : $"frames end at {position}, range at {request.RangeEnd}";
    }

    /// <summary>Skips what the log has, cuts what differs, appends the rest; false when safety forbids the cut.</summary>
    private bool TryAccept(AppendRequest request)
    {
        LogPosition? writeFrom = null;
        foreach (var frame in request.Frames)
        {
            if (frame.Base < _log.Start)
            {
                continue;
            }

            if (writeFrom is null && frame.Base < _log.End)
            {
                if (_log.Epochs.TermAt(frame.Base) == frame.Term && !IsCutBlindly(request))
                {
                    if (!_log.TryGetFrame(frame.Base, out var own) || own.HeaderCrc != frame.HeaderCrc)
                    {
                        _state.Halt($"frame at {frame.Base} of term {frame.Term} differs from that of leader {request.From} (I9)");
                        return false;
                    }

                    continue;
                }

                if (frame.Base < _log.Commit && !IsCutBlindly(request))
                {
                    _state.Halt(
                        $"leader {request.From} of term {request.Term} sent another frame at {frame.Base}, below commit "
                        + $"{_log.Commit} (I13)");
                    return false;
                }

                Invariant.Check(_verified <= frame.Base || IsCutBlindly(request), $"I17: verified {_verified}, but frame at {frame.Base} differs");
                _log.TruncateTo(frame.Base);
            }

            writeFrom ??= frame.Base;
            _log.Append(frame, request.FindConfiguration(frame));
        }

        if (writeFrom is { } from)
        {
            _state.Effects.Add(new WriteRange(_log.Generation, from, _log.End, request));
        }

        return true;
    }

    /// <summary>The seeded defect: an append counts as the whole truth, so that an old one takes away what came after it.</summary>
    private bool IsCutBlindly(AppendRequest request) =>
        _state.Options.Defect == SeededDefect.TruncateOnStaleAppend && request.RangeEnd < _log.End;
}
