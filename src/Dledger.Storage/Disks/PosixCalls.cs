using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dledger.Storage.Disks;

/// <summary>One buffer of a gathering write; layout of C's struct iovec.</summary>
internal unsafe struct IoVector
{
    public byte* Start;
    public nuint Length;
}

/// <summary>The system calls that the framework does not offer or whose errors it swallows. Linux, 64 bit.</summary>
/// <remarks>
/// The framework's own flush ignores failures of fsync, has no fdatasync and no directory sync, and its preallocation
/// keeps the file's length.
/// </remarks>
internal static unsafe partial class PosixCalls
{
    public const int OpenReadOnly = 0;
    public const int OpenReadWrite = 2;
    public const int OpenCreate = 0x40;
    public const int OpenExclusive = 0x80;
    public const int OpenCloseOnExec = 0x80000;

    /// <summary>O_DIRECT has another bit on ARM.</summary>
    public static readonly int OpenDirect = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x10000 : 0x4000;

    public const int SeekEnd = 2;

    public const int LockExclusive = 2;
    public const int LockNonBlocking = 4;

    public const int AdviseWillNeed = 3;
    public const int AdviseDontNeed = 4;

    public const int Interrupted = 4;
    public const int TryAgain = 11;
    public const int FileExists = 17;
    public const int InvalidArgument = 22;
    public const int NotImplemented = 38;
    public const int NotSupported = 95;

    private const string Library = "libc";

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport(Library, EntryPoint = "pread", SetLastError = true)]
    public static partial nint Read(SafeFileHandle file, byte* buffer, nuint count, long offset);

    [LibraryImport(Library, EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint Write(SafeFileHandle file, byte* buffer, nuint count, long offset);

    [LibraryImport(Library, EntryPoint = "pwritev", SetLastError = true)]
    public static partial nint WriteGathered(SafeFileHandle file, IoVector* vectors, int count, long offset);

    [LibraryImport(Library, EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int SyncContents(SafeFileHandle file);

    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(SafeFileHandle file);

    [LibraryImport(Library, EntryPoint = "syncfs", SetLastError = true)]
    public static partial int SyncFileSystem(SafeFileHandle file);

    [LibraryImport(Library, EntryPoint = "fallocate", SetLastError = true)]
    public static partial int Allocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport(Library, EntryPoint = "posix_fadvise")]
    public static partial int Advise(SafeFileHandle file, long offset, long length, int advice);

    [LibraryImport(Library, EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int SetLength(SafeFileHandle file, long length);

    [LibraryImport(Library, EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offset, int origin);

    [LibraryImport(Library, EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(SafeFileHandle file, int operation);

    [LibraryImport(Library, EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Access(string path, int mode);

    [LibraryImport(Library, EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectory(string path, int mode);

    [LibraryImport(Library, EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    [LibraryImport(Library, EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport(Library, EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int RemoveDirectory(string path);

    /// <summary>
    /// The same file, whatever it is called now, for calls past the page cache; null where the file system offers none, such as one in
    /// memory.
    /// </summary>
    public static SafeFileHandle? TryOpenDirect(SafeFileHandle file)
    {
        var descriptor = Open(
            $"/proc/self/fd/{file.DangerousGetHandle()}", OpenReadWrite | OpenDirect | OpenCloseOnExec, mode: 0);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>The fault for the last call's errno.</summary>
    public static StorageFaultException Fault(string path, string call)
    {
        var errno = Marshal.GetLastPInvokeError();
        return new StorageFaultException(path, call, errno, Marshal.GetPInvokeErrorMessage(errno));
    }
}
