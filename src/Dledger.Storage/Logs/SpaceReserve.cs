using Dledger.Storage.Disks;

namespace Dledger.Storage.Logs;

/// <summary>A file that only holds blocks: freed when a write of the log finds none, so that it can be made once
/// more.</summary>
/// <remarks>
/// Also keeps what is known about missing space. Any thread: the preparer creates the file, the writer frees it.
/// </remarks>
internal sealed class SpaceReserve(IDisk disk, string directory, long bytes)
{
    /// <summary>Name in the log's directory.</summary>
    public const string Name = "reserve";

    private readonly Lock _lock = new();
    private bool _isThere;
    private volatile bool _isLow;

    /// <summary>Whether a roll, a spare or the reserve found no space, and none of them has found it since.</summary>
    public bool IsLow
    {
        get => _isLow;
        set => _isLow = value;
    }

    private string Path => $"{directory}/{Name}";

    /// <summary>Whether an error says that there is no space.</summary>
    public static bool IsNoSpace(StorageFaultException fault) =>
        fault.Errno is StorageFaultException.NoSpace or StorageFaultException.QuotaExceeded;

    /// <summary>Creates the file when it is missing; false when there was nothing to do.</summary>
    public bool TryCreate()
    {
        lock (_lock)
        {
            if (_isThere || bytes == 0)
            {
                return false;
            }

            try
            {
                using var file = disk.Open(Path, DiskOpenMode.OpenOrCreate);
                file.Allocate(bytes);
                file.Sync();
                _isThere = true;
                return true;
            }
            catch (StorageFaultException fault) when (IsNoSpace(fault))
            {
                // What little it got is given back; the preparer tries again later.
                _isLow = true;
                disk.Delete(Path);
                throw;
            }
        }
    }

    /// <summary>Gives the blocks back; false when there are none.</summary>
    public bool TryFree()
    {
        lock (_lock)
        {
            _isLow = true;
            if (!disk.Exists(Path))
            {
                return false;
            }

            disk.Delete(Path);
            _isThere = false;
            return true;
        }
    }
}
