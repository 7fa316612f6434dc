using Microsoft.Win32.SafeHandles;

namespace Dledger.Storage.Disks;

/// <summary>syncfs over a handle that was opened before the writes: the kernel tells it of every write that was lost since.</summary>
internal sealed class PosixWholeSync(PosixDisk disk, string path, SafeFileHandle handle) : IWholeSync
{
    /// <inheritdoc/>
    public void Run() => disk.SyncHandle(handle, path, SyncScope.FileSystem);

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();
}
