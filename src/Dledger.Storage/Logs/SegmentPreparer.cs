using Dledger.Primitives;
using Dledger.Storage.Disks;

namespace Dledger.Storage.Logs;

/// <summary>Keeps spare segments ready, so that a roll needs neither a new file nor a directory sync.</summary>
/// <remarks>
/// Also gives segments their names and retires the expired ones.
/// Works on its own thread after <see cref="Start"/>, or step by step where the caller owns all threads. A spare is
/// created as filling-n, reserved, written with zeros at a low rate, synced, renamed to spare-n, and its name synced;
/// recovery deletes what still bears the first name. A full disk pauses the work: the log creates its files itself
/// then.
/// </remarks>
public sealed class SegmentPreparer : IDisposable
{
    private const int PieceBytes = 1 << 20;

    /// <summary>
    /// Bytes between two syncs of a spare: a large sync would stall those of the log on the same disk.
    /// </summary>
    private const long SyncBytes = 8 << 20;

    private static readonly TimeSpan PauseAfterFault = TimeSpan.FromSeconds(10);

    private readonly CommitLog _log;
    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly SparePool _spares;
    private readonly SpaceReserve _reserve;
    private readonly AutoResetEvent _wake = new(initialState: false);
    private Thread? _thread;
    private volatile bool _stopping;

    private IDiskFile? _file;
    private long _number;
    private long _filledBytes;

    internal SegmentPreparer(CommitLog log, IDisk disk, string directory, SparePool spares, SpaceReserve reserve)
    {
        _log = log;
        _disk = disk;
        _directory = directory;
        _spares = spares;
        _reserve = reserve;
    }

    /// <summary>Why no spares are prepared any more, or for the moment; null while all is well.</summary>
    public StorageFaultException? Fault { get; private set; }

    private long FileBytes => CommitLogOptions.SegmentHeaderBytes + _log.Options.SegmentBytes;

    private string FillingPath => $"{_directory}/{LogSurvey.FillingPrefix}{_number}";

    /// <summary>Starts the thread.</summary>
    public void Start()
    {
        Invariant.Check(_thread is null, "the preparer starts once");
        _thread = new Thread(Run) { IsBackground = true, Name = "segment preparer" };
        _thread.Start();
    }

    /// <summary>
    /// Does one piece of work, at most a mebibyte of zeros and a sync; false when nothing is left to do.
    /// </summary>
    public bool Step()
    {
        if (_stopping)
        {
            return false;
        }

        try
        {
            if (_log.TryNameSegment() || _log.RetireExpired())
            {
                return true;
            }

            if (_file is null)
            {
                return BeginNext();
            }

            if (_log.Options.ZeroFillSpares && _filledBytes < FileBytes)
            {
                FillPiece();
            }
            else
            {
                Finish();
            }

            Fault = null;
            return true;
        }
        catch (StorageFaultException fault)
        {
            Fault = fault;
            Abandon(fault);
            return false;
        }
    }

    /// <summary>Stops the thread and leaves an unfinished spare to the next recovery.</summary>
    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        _thread?.Join();
        _file?.Dispose();
        _file = null;

        // The event is left to the finalizer: the writer may be about to set it.
    }

    /// <summary>Tells that a spare was taken or a segment expired.</summary>
    internal void Wake()
    {
        if (!_stopping)
        {
            _wake.Set();
        }
    }

    private void Run()
    {
        var pieceTime = TimeSpan.FromSeconds((double)PieceBytes / _log.Options.PrepareBytesPerSecond);
        while (!_stopping)
        {
            var hasMore = Step();
            if (!hasMore)
            {
                _wake.WaitOne(Fault is null ? Timeout.InfiniteTimeSpan : PauseAfterFault);
            }
            else if (!_log.IsSpareUrgent)
            {
                _wake.WaitOne(pieceTime);
            }
        }
    }

    /// <summary>Spares before the reserve: without one the log cannot go on, without the other it can.</summary>
    private bool BeginNext()
    {
        if (_spares.Count < _log.Options.SpareCount)
        {
            return Begin();
        }

        if (_reserve.TryCreate())
        {
            return true;
        }

        if (_log.Options.SpareCount > 0)
        {
            _reserve.IsLow = false;
        }

        Fault = null;
        return false;
    }

    private bool Begin()
    {
        _number = _spares.NextNumber();
        _filledBytes = 0;
        _file = _disk.Open(FillingPath, DiskOpenMode.CreateNew);
        _file.Allocate(FileBytes);
        return true;
    }

    private void FillPiece()
    {
        var piece = Math.Min(PieceBytes, FileBytes - _filledBytes);
        _file!.ZeroFill(_filledBytes, piece);
        _filledBytes += piece;
        if (_filledBytes % SyncBytes < PieceBytes)
        {
            _file.Sync();
        }
    }

    private void Finish()
    {
        _file!.Sync();
        var path = $"{_directory}/{LogSurvey.SparePrefix}{_number}";
        _disk.Rename(FillingPath, path);
        _disk.SyncDirectory(_directory);
        _spares.Add(new SpareSegment(_file, path, _log.Options.ZeroFillSpares));
        _file = null;
    }

    private void Abandon(StorageFaultException fault)
    {
        var file = _file;
        _file = null;
        file?.Dispose();
        if (!SpaceReserve.IsNoSpace(fault))
        {
            return;
        }

        _reserve.IsLow = true;
        if (file is not null)
        {
            try
            {
                _disk.Delete(FillingPath);
            }
            catch (StorageFaultException second)
            {
                Fault = second;
            }
        }
    }
}
