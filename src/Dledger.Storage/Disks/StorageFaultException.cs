namespace Dledger.Storage.Disks;

/// <summary>The machine failed to read, write or sync. Whoever promised durability over it must stop.</summary>
public sealed class StorageFaultException(string path, string call, int errno, string reason)
    : IOException($"{call} of '{path}' failed: {reason} (errno {errno})")
{
    /// <summary>Errno of a full file system.</summary>
    public const int NoSpace = 28;

    /// <summary>Errno of a user whose quota is used up.</summary>
    public const int QuotaExceeded = 122;

    /// <summary>Errno of a device error.</summary>
    public const int DeviceError = 5;

    /// <summary>The file or directory.</summary>
    public string Path { get; } = path;

    /// <summary>The system call.</summary>
    public string Call { get; } = call;

    /// <summary>The error number it left.</summary>
    public int Errno { get; } = errno;

    /// <summary>
    /// Whether the file system is full, and nothing worse: it may be tried again when there is room. Not after a sync, which may have
    /// thrown away what it could not write.
    /// </summary>
    public bool IsNoSpace => Errno is NoSpace or QuotaExceeded && !IsOfSync;

    /// <summary>Whether a sync failed: then nothing may be tried again, whatever the error.</summary>
    public bool IsOfSync => Call is "fsync" or "fdatasync";
}
