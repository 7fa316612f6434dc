using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;
using Dledger.Storage.Records;

namespace Dledger.Broker.Lookups;

/// <summary>Reads the committed log record by record, from a frame or record on. One thread at a time; may block on the disk.</summary>
internal sealed class LogWalk(IReplicatedLog log, LogPosition from)
{
    private const int WindowBytes = 64 << 10;

    // No frame is larger; what claims to be is none.
    private const int FrameBytesMax = 64 << 20;

    private readonly ClusterSeed _seed = ClusterSeed.Of(log.ClusterId, log.Group);
    private byte[] _window = [];
    private LogPosition _windowStart;
    private int _windowCount;

    /// <summary>Where the next record or frame begins.</summary>
    public LogPosition Position { get; private set; } = from;

    /// <summary>The frame whose header was met last; null before the first.</summary>
    public FrameHeader? Frame { get; private set; }

    /// <summary>Why the walk cannot go on; null at the limit and at the end of what is committed.</summary>
    public string? Fault { get; private set; }

    /// <summary>
    /// Steps to the next record before the limit. It is valid until the next step. False: none is there, or it cannot be read, see
    /// <see cref="Fault"/>.
    /// </summary>
    public bool TryNext(LogPosition limit, out RecordView record, out LogPosition position)
    {
        record = default;
        position = Position;
        while (Position < limit && Fill(FrameHeader.Size))
        {
            if (FrameHeader.TryParse(Rest, _seed, FrameBytesMax, out var header, out _) && header.Base == Position)
            {
                Frame = header;
                Position += FrameHeader.Size;
                continue;
            }

            position = Position;
            if (!RecordHeader.TryParse(Rest, out var fields, out var fault)
                || fields.Length > FrameBytesMax
                || !Fill(fields.Length)
                || !RecordView.TryParseSealed(Rest, Position, out record, out fault))
            {
                Fault = fault ?? $"the record at {Position} is cut off";
                record = default;
                return false;
            }

            Position += record.Length;
            return true;
        }

        return false;
    }

    /// <summary>Goes on behind the present frame, over what could not be read. False when it is not known where that is.</summary>
    public bool TrySkipFrame()
    {
        if (Frame is not { } frame || frame.End <= Position)
        {
            return false;
        }

        Position = frame.End;
        Fault = null;
        return true;
    }

    private ReadOnlySpan<byte> Rest => _window.AsSpan((int)(Position - _windowStart), _windowCount - (int)(Position - _windowStart));

    private bool Fill(int bytes)
    {
        var isInside = Position >= _windowStart && Position - _windowStart <= _windowCount;
        if (isInside && _windowCount - (Position - _windowStart) >= bytes)
        {
            return true;
        }

        if (_window.Length < bytes)
        {
            _window = GC.AllocateUninitializedArray<byte>(Math.Max(WindowBytes, bytes));
        }

        _windowStart = Position;
        _windowCount = 0;
        try
        {
            _windowCount = log.Read(Position, _window);
        }
        catch (StorageFaultException storage)
        {
            Fault = storage.Message;
        }

        return _windowCount >= bytes;
    }
}
