using Dledger.Storage.Disks;
using Dledger.Testing.Disks;

namespace Dledger.Replication.Tests.Clusters;

/// <summary>
/// A simulated machine whose stop looks like a failing disk, so that threads of a node see what production sees.
/// </summary>
internal sealed class CrashingDisk(SimulatedDisk inner) : IDisk
{
    public bool Exists(string path) => Guard(path, () => inner.Exists(path));

    public IReadOnlyList<string> List(string directory) => Guard(directory, () => inner.List(directory));

    public void CreateDirectory(string path) => Guard(path, () => inner.CreateDirectory(path));

    public IDiskFile Open(string path, DiskOpenMode mode) =>
        Guard(path, () => new CrashingFile(inner.Open(path, mode)));

    public void Rename(string from, string to) => Guard(from, () => inner.Rename(from, to));

    public void Delete(string path) => Guard(path, () => inner.Delete(path));

    public void DeleteDirectory(string path) => Guard(path, () => inner.DeleteDirectory(path));

    public void SyncDirectory(string path) => Guard(path, () => inner.SyncDirectory(path));

    public DiskSpace GetSpace() => Guard("", inner.GetSpace);

    public IDisposable? TryLock(string path) => Guard(path, () => inner.TryLock(path));

    private static T Guard<T>(string path, Func<T> call)
    {
        try
        {
            return call();
        }
        catch (SimulatedCrashException crash)
        {
            throw new StorageFaultException(path, "call", StorageFaultException.DeviceError, crash.Message);
        }
    }

    private static void Guard(string path, Action call) => Guard(path, () =>
    {
        call();
        return true;
    });

    private sealed class CrashingFile(IDiskFile file) : IDiskFile
    {
        public string Path => file.Path;

        public long Length => Guard(Path, () => file.Length);

        public int Read(long offset, Span<byte> destination)
        {
            try
            {
                return file.Read(offset, destination);
            }
            catch (SimulatedCrashException crash)
            {
                throw new StorageFaultException(Path, "pread", StorageFaultException.DeviceError, crash.Message);
            }
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            try
            {
                file.Write(offset, bytes);
            }
            catch (SimulatedCrashException crash)
            {
                throw new StorageFaultException(Path, "pwrite", StorageFaultException.DeviceError, crash.Message);
            }
        }

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> buffers) =>
            Guard(Path, () => file.Write(offset, buffers));

        public void Allocate(long length) => Guard(Path, () => file.Allocate(length));

        public void ZeroFill(long offset, long length) => Guard(Path, () => file.ZeroFill(offset, length));

        public void SetLength(long length) => Guard(Path, () => file.SetLength(length));

        public void Sync() => Guard(Path, file.Sync);

        public void Dispose() => file.Dispose();
    }
}
