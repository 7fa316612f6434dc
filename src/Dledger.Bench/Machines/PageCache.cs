using System.Runtime.InteropServices;

namespace Dledger.Bench.Machines;

/// <summary>Takes files out of the page cache, so that the next reader has to go to the disk. Linux only.</summary>
/// <remarks>
/// All file systems are synced first, as dirty pages cannot be dropped; then each file is advised with POSIX_FADV_DONTNEED. Pages that
/// some process has mapped stay. It needs no rights but to read the files.
/// </remarks>
public static partial class PageCache
{
    private const int DontNeed = 4;

    public static bool IsSupported => OperatingSystem.IsLinux();

    /// <summary>All files in the folders.</summary>
    /// <param name="folders">They exist.</param>
    /// <param name="isRecursive">Also those of the folders below.</param>
    /// <returns>Bytes of the files that were advised.</returns>
    public static long Evict(IEnumerable<string> folders, bool isRecursive)
    {
        var depth = isRecursive ? SearchOption.AllDirectories : SearchOption.TopDirectoryOnly;
        Sync();
        var bytes = 0L;
        foreach (var file in folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*", depth)).Distinct())
        {
            try
            {
                using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                if (Advise((int)handle.DangerousGetHandle(), 0, 0, DontNeed) == 0)
                {
                    bytes += RandomAccess.GetLength(handle);
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Gone meanwhile, or of somebody else: what is not counted in the answer was not evicted.
            }
        }

        return bytes;
    }

    [LibraryImport("libc", EntryPoint = "sync")]
    private static partial void Sync();

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(int descriptor, long offset, long length, int advice);
}
