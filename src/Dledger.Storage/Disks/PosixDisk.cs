using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dledger.Storage.Disks;

/// <summary>The production disk: a directory tree of a Linux file system, with every error number checked.</summary>
/// <remarks>
/// Safe for any thread. The first failed sync is kept: from then on every write and sync throws it again, because the
/// kernel may have marked the unwritten pages clean and would report the next sync as done.
/// </remarks>
public sealed class PosixDisk : IDisk
{
    private const int DirectoryMode = 0b111_101_000;
    private const int FileMode = 0b110_100_000;

    // Older kernels say that all went well whatever became of the pages (man 2 syncfs).
    private static readonly bool WholeSyncTellsFaults = Environment.OSVersion.Version >= new Version(5, 8);

    private readonly string _root;
    private StorageFaultException? _syncFault;

    /// <summary>
    /// A disk over a directory, which <see cref="CreateDirectory"/> of "" creates when it is missing.
    /// </summary>
    public PosixDisk(string root)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException(
                "Dledger stores data on Linux only: it needs fdatasync and fallocate.");
        }

        _root = Path.GetFullPath(root);
    }

    /// <inheritdoc/>
    public bool Exists(string path) => PosixCalls.Access(Resolve(path), 0) == 0;

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string directory)
    {
        var names = new List<string>();
        var info = new DirectoryInfo(Resolve(directory));
        if (info.Exists)
        {
            names.AddRange(info.EnumerateFileSystemInfos().Select(entry => entry.Name));
            names.Sort(string.CompareOrdinal);
        }

        return names;
    }

    /// <inheritdoc/>
    public void CreateDirectory(string path)
    {
        var missing = new Stack<string>();
        var next = Resolve(path);
        while (PosixCalls.Access(next, 0) != 0 && Path.GetDirectoryName(next) is { } parent)
        {
            missing.Push(next);
            next = parent;
        }

        foreach (var directory in missing)
        {
            if (PosixCalls.MakeDirectory(directory, DirectoryMode) != 0
                && Marshal.GetLastPInvokeError() != PosixCalls.FileExists)
            {
                throw PosixCalls.Fault(directory, "mkdir");
            }

            // Nobody else syncs what lies above the root.
            if (directory.Length <= _root.Length && Path.GetDirectoryName(directory) is { } above)
            {
                SyncResolvedDirectory(above);
            }
        }
    }

    /// <inheritdoc/>
    public IDiskFile Open(string path, DiskOpenMode mode)
    {
        var flags = mode switch
        {
            DiskOpenMode.Read => PosixCalls.OpenReadOnly,
            DiskOpenMode.ReadWrite => PosixCalls.OpenReadWrite,
            DiskOpenMode.CreateNew => PosixCalls.OpenReadWrite | PosixCalls.OpenCreate | PosixCalls.OpenExclusive,
            _ => PosixCalls.OpenReadWrite | PosixCalls.OpenCreate,
        };
        return new PosixDiskFile(this, path, OpenHandle(Resolve(path), flags));
    }

    /// <inheritdoc/>
    public void Rename(string from, string to)
    {
        if (PosixCalls.Rename(Resolve(from), Resolve(to)) != 0)
        {
            throw PosixCalls.Fault(Resolve(from), "rename");
        }
    }

    /// <inheritdoc/>
    public void Delete(string path)
    {
        if (PosixCalls.Unlink(Resolve(path)) != 0)
        {
            throw PosixCalls.Fault(Resolve(path), "unlink");
        }
    }

    /// <inheritdoc/>
    public void DeleteDirectory(string path)
    {
        if (PosixCalls.RemoveDirectory(Resolve(path)) != 0)
        {
            throw PosixCalls.Fault(Resolve(path), "rmdir");
        }
    }

    /// <inheritdoc/>
    public void SyncDirectory(string path) => SyncResolvedDirectory(Resolve(path));

    /// <inheritdoc/>
    public IWholeSync? BeginWholeSync() =>
        WholeSyncTellsFaults ? new PosixWholeSync(this, _root, OpenHandle(_root, PosixCalls.OpenReadOnly)) : null;

    /// <inheritdoc/>
    public DiskSpace GetSpace()
    {
        try
        {
            // What only the superuser may take counts as if it were not there.
            var drive = new DriveInfo(_root);
            var reserved = drive.TotalFreeSpace - drive.AvailableFreeSpace;
            return new DiskSpace(drive.TotalSize - reserved, drive.AvailableFreeSpace);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new StorageFaultException(_root, "statfs", StorageFaultException.DeviceError, fault.Message);
        }
    }

    /// <inheritdoc/>
    public IDisposable? TryLock(string path)
    {
        var resolved = Resolve(path);
        var handle = OpenHandle(resolved, PosixCalls.OpenReadWrite | PosixCalls.OpenCreate);
        while (PosixCalls.Lock(handle, PosixCalls.LockExclusive | PosixCalls.LockNonBlocking) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno == PosixCalls.Interrupted)
            {
                continue;
            }

            var fault = PosixCalls.Fault(resolved, "flock");
            handle.Dispose();
            return errno == PosixCalls.TryAgain ? null : throw fault;
        }

        return handle;
    }

    /// <summary>Throws the first failed sync of this disk, if there was one.</summary>
    internal void ThrowIfSyncFailed()
    {
        if (Volatile.Read(ref _syncFault) is { } fault)
        {
            throw new StorageFaultException(
                fault.Path, fault.Call, fault.Errno, "an earlier sync failed, nothing is retried");
        }
    }

    /// <summary>Syncs a handle; EINTR is retried, any other failure is kept for ever.</summary>
    internal void SyncHandle(SafeFileHandle handle, string path, SyncScope scope)
    {
        ThrowIfSyncFailed();
        while (Sync(handle, scope) != 0)
        {
            if (Marshal.GetLastPInvokeError() == PosixCalls.Interrupted)
            {
                continue;
            }

            var fault = PosixCalls.Fault(path, scope switch
            {
                SyncScope.Contents => "fdatasync",
                SyncScope.File => "fsync",
                _ => "syncfs",
            });
            Interlocked.CompareExchange(ref _syncFault, fault, null);
            throw fault;
        }
    }

    private static int Sync(SafeFileHandle handle, SyncScope scope) => scope switch
    {
        SyncScope.Contents => PosixCalls.SyncContents(handle),
        SyncScope.File => PosixCalls.Sync(handle),
        _ => PosixCalls.SyncFileSystem(handle),
    };

    private static SafeFileHandle OpenHandle(string path, int flags)
    {
        while (true)
        {
            var descriptor = PosixCalls.Open(path, flags | PosixCalls.OpenCloseOnExec, FileMode);
            if (descriptor >= 0)
            {
                return new SafeFileHandle(descriptor, ownsHandle: true);
            }

            if (Marshal.GetLastPInvokeError() != PosixCalls.Interrupted)
            {
                throw PosixCalls.Fault(path, "open");
            }
        }
    }

    private void SyncResolvedDirectory(string path)
    {
        using var handle = OpenHandle(path, PosixCalls.OpenReadOnly);
        SyncHandle(handle, path, SyncScope.File);
    }

    private string Resolve(string path) => path.Length == 0 ? _root : Path.Combine(_root, path);
}
