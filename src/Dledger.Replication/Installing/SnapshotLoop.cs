using System.Buffers.Binary;
using Dledger.Primitives;
using Dledger.Replication.Bulk;
using Dledger.Replication.Clocks;
using Dledger.Replication.Loops;
using Dledger.Replication.Peers;
using Dledger.Replication.Queues;
using Dledger.Storage.Disks;
using Dledger.Storage.Snapshots;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication.Installing;

/// <summary>
/// Fetches a snapshot of the leader piece by piece while this node goes on as a follower (raft-and-storage.md 2.20).
/// </summary>
/// <remarks>
/// What has come stays in the staging directory, over restarts too: a transfer of the same snapshot goes on where it was. Nothing is
/// replaced here; that happens when the replication loop has looked once more whether the own log fits after all.
/// </remarks>
internal sealed class SnapshotLoop : ILoop
{
    private const long RetryMicroseconds = 1_000_000;

    // The core repeats its wish with every heart-beat that it rejects.
    private const long WishMicroseconds = 10_000_000;

    private readonly SnapshotStaging _staging;
    private readonly IPeerTransport _transport;
    private readonly LogClock _clock;
    private readonly ISnapshotReports _reports;
    private readonly long _bytesPerSecond;
    private readonly ILogger _logger;
    private readonly SwapQueue<SnapshotNotice> _notices;
    private List<SnapshotNotice> _taken = [];
    private NodeId _source;
    private Step _step;
    private long _wishedAt;
    private long _notBefore;
    private long _asked;
    private bool _isAsking;
    private uint _checksum;
    private byte[] _manifest = [];
    private int _manifestLength;
    private int _part;
    private bool _isStopped;

    public SnapshotLoop(
        IDisk disk,
        ReplicationOptions options,
        IPeerTransport transport,
        LogClock clock,
        ISnapshotReports reports,
        ILogger logger)
    {
        _staging = new SnapshotStaging(disk, options.Directory);
        _transport = transport;
        _clock = clock;
        _reports = reports;
        _bytesPerSecond = options.CatchUpBytesPerSecond;
        _logger = logger;
        _notices = new SwapQueue<SnapshotNotice>(Signal);
        Name = $"dledger-snapshot-{options.Self}";
    }

    private enum Step
    {
        /// <summary>Nothing is wanted, or the last try failed a moment ago.</summary>
        Idle,
        Opening,
        ReadingManifest,
        ReadingParts,

        /// <summary>Complete; the replication loop decides.</summary>
        Staged,
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public WakeSignal Signal { get; } = new();

    /// <summary>The core needs a snapshot of this leader. Any thread; may be repeated.</summary>
    public void Want(NodeId leader) => _notices.TryAdd(new Wanted(leader));

    /// <summary>What was staged is not needed after all. Any thread.</summary>
    public void Discard() => _notices.TryAdd(new NotNeeded());

    /// <summary>The last turn follows. Any thread.</summary>
    public void Stop() => _notices.TryAdd(new StopFetching());

    /// <summary>Takes what came and asks for the next piece.</summary>
    public NextTurn Turn()
    {
        try
        {
            TakeNotices();
            if (_isStopped)
            {
                _notices.Close();
                _staging.Dispose();
                return NextTurn.Never;
            }

            return Work();
        }
        catch (StorageFaultException fault) when (fault.IsNoSpace)
        {
            GiveUp($"there is no room for it: {fault.Message}");
            return NextTurn.AtOnce;
        }
        catch (Exception fault)
        {
            _notices.Close();
            _reports.StagingFailed(fault);
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
                case Wanted wanted:
                    Note(wanted.Leader);
                    break;
                case AnswerCame answer when answer.Number == _asked && _isAsking:
                    _isAsking = false;
                    Receive(answer.Reply);
                    break;
                case NotNeeded:
                    _staging.Discard();
                    _step = Step.Idle;
                    break;
                case StopFetching:
                    _isStopped = true;
                    break;
            }
        }
    }

    private void Note(NodeId leader)
    {
        _wishedAt = _clock.Monotonic();
        if (_step == Step.Staged)
        {
            return;
        }

        if (_step == Step.Idle || leader != _source)
        {
            if (_source != leader)
            {
                ReplicationEvents.SnapshotWanted(_logger, leader);
            }

            _source = leader;
            _isAsking = false;
            _step = Step.Opening;
        }
    }

    private NextTurn Work()
    {
        if (_step is Step.Idle or Step.Staged || _isAsking)
        {
            return NextTurn.WhenWoken;
        }

        var now = _clock.Monotonic();
        if (now - _wishedAt > WishMicroseconds)
        {
            _step = Step.Idle;
            return NextTurn.WhenWoken;
        }

        if (now < _notBefore)
        {
            return NextTurn.After((int)((_notBefore - now + 999) / 1000));
        }

        Ask();
        return NextTurn.WhenWoken;
    }

    private void Ask()
    {
        BulkRequest request = _step switch
        {
            Step.Opening => new OpenSnapshot(),
            Step.ReadingManifest => new ReadSnapshotManifest(_checksum, _manifestLength, BulkLimits.PieceBytes),
            _ => new ReadSnapshotPart(_checksum, _part, _staging.ReceivedBytes(_part), BulkLimits.PieceBytes),
        };
        _isAsking = true;
        var number = ++_asked;
        _transport.Fetch(_source, request, reply => _notices.TryAdd(new AnswerCame(number, reply)));
    }

    private void Receive(BulkReply? reply)
    {
        if (reply is not { Outcome: BulkOutcome.Found } found)
        {
            GiveUp(reply is null ? $"node {_source} does not answer" : $"node {_source} answers {reply.Outcome}");
            return;
        }

        switch (_step)
        {
            case Step.Opening:
                BeginManifest(found.Bytes.Span);
                break;
            case Step.ReadingManifest:
                TakeManifest(found.Bytes.Span);
                break;
            case Step.ReadingParts:
                TakePiece(found.Bytes.Span);
                break;
        }
    }

    private void BeginManifest(ReadOnlySpan<byte> answer)
    {
        var length = answer.Length == 8 ? BinaryPrimitives.ReadInt32LittleEndian(answer[4..]) : 0;
        if (length is <= 0 or > SnapshotManifest.BytesMax)
        {
            GiveUp($"node {_source} offers a manifest of {length} bytes");
            return;
        }

        _checksum = BinaryPrimitives.ReadUInt32LittleEndian(answer);
        _manifest = new byte[length];
        _manifestLength = 0;
        _step = Step.ReadingManifest;
    }

    private void TakeManifest(ReadOnlySpan<byte> piece)
    {
        if (piece.IsEmpty || piece.Length > _manifest.Length - _manifestLength)
        {
            GiveUp($"node {_source} sent {piece.Length} bytes of its manifest, which do not fit");
            return;
        }

        piece.CopyTo(_manifest.AsSpan(_manifestLength));
        _manifestLength += piece.Length;
        if (_manifestLength < _manifest.Length)
        {
            return;
        }

        var manifest = SnapshotManifest.Parse(_manifest, out var checksum, out var fault);
        fault ??= manifest is null ? null : FindFault(manifest);
        if (manifest is null || fault is not null || checksum != _checksum)
        {
            GiveUp($"node {_source} sent a bad manifest: {fault ?? "another one than it named"}");
            return;
        }

        _manifest = [];
        _staging.Begin(manifest);
        ReplicationEvents.SnapshotBegun(
            _logger, manifest.Applied, manifest.LogStart.End, manifest.Parts.Count, manifest.TotalBytes, _source);
        _part = 0;
        _step = Step.ReadingParts;
        FindNextPart();
    }

    private static string? FindFault(SnapshotManifest manifest)
    {
        SnapshotAttachment.TryRead(manifest.Attachment, out var fault);
        return fault;
    }

    private void TakePiece(ReadOnlySpan<byte> piece)
    {
        if (piece.IsEmpty)
        {
            GiveUp($"node {_source} sent nothing of part {_part}");
            return;
        }

        var outcome = _staging.WriteChunk(_part, _staging.ReceivedBytes(_part), piece, Crc32C.Compute(piece));
        if (outcome is not (ChunkOutcome.Accepted or ChunkOutcome.PartComplete))
        {
            GiveUp($"part {_part} of node {_source}: {outcome}");
            return;
        }

        _notBefore = Math.Max(_notBefore, _clock.Monotonic()) + (piece.Length * 1_000_000L / _bytesPerSecond);
        FindNextPart();
    }

    private void FindNextPart()
    {
        var count = _staging.Manifest!.Parts.Count;
        while (_part < count && _staging.HasPart(_part))
        {
            _part++;
        }

        if (_part < count)
        {
            return;
        }

        if (_staging.Verify() is { } fault)
        {
            GiveUp(fault);
            return;
        }

        _step = Step.Staged;
        ReplicationEvents.SnapshotStaged(_logger, _staging.Manifest.Applied);
        _reports.SnapshotStaged(_staging.Manifest);
    }

    // What was staged stays: the next try goes on there if it is offered the same snapshot.
    private void GiveUp(string reason)
    {
        ReplicationEvents.SnapshotInterrupted(_logger, reason);
        _step = Step.Idle;
        _source = NodeId.None;
        _notBefore = _clock.Monotonic() + RetryMicroseconds;
    }

    private abstract record SnapshotNotice;

    private sealed record Wanted(NodeId Leader) : SnapshotNotice;

    private sealed record AnswerCame(long Number, BulkReply? Reply) : SnapshotNotice;

    private sealed record NotNeeded : SnapshotNotice;

    private sealed record StopFetching : SnapshotNotice;
}
