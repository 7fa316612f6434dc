using Dledger.Storage.Disks;

namespace Dledger.Replication.Tests.Clusters;

/// <summary>A disk that counts writes and whose syncs fail once it is told so.</summary>
internal sealed class TrippingDisk(IDisk inner) : IDisk
{
    private int _writeCount;
    private int _syncCount;

    /// <summary>From now on every sync of a file whose path holds this text fails.</summary>
    public string? FailingSyncs { get; set; }

    /// <summary>Writes and syncs of files so far.</summary>
    public (int Writes, int Syncs) Counts => (Volatile.Read(ref _writeCount), Volatile.Read(ref _syncCount));

    public bool Exists(string path) => inner.Exists(path);

    public IReadOnlyList<string> List(string directory) => inner.List(directory);

    public void CreateDirectory(string path) => inner.CreateDirectory(path);

    public IDiskFile Open(string path, DiskOpenMode mode) => new TrippingFile(this, inner.Open(path, mode));

    public void Rename(string from, string to) => inner.Rename(from, to);

    public void Delete(string path) => inner.Delete(path);

    public void DeleteDirectory(string path) => inner.DeleteDirectory(path);

    public void SyncDirectory(string path) => inner.SyncDirectory(path);

    public DiskSpace GetSpace() => inner.GetSpace();

    public IDisposable? TryLock(string path) => inner.TryLock(path);

    private sealed class TrippingFile(TrippingDisk disk, IDiskFile file) : IDiskFile
    {
        public string Path => file.Path;

        public long Length => file.Length;

        public int Read(long offset, Span<byte> destination) => file.Read(offset, destination);

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            Interlocked.Increment(ref disk._writeCount);
            file.Write(offset, bytes);
        }

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> buffers)
        {
            Interlocked.Increment(ref disk._writeCount);
            file.Write(offset, buffers);
        }

        public void Allocate(long length) => file.Allocate(length);

        public void ZeroFill(long offset, long length) => file.ZeroFill(offset, length);

        public void SetLength(long length) => file.SetLength(length);

        public void Sync()
        {
            Interlocked.Increment(ref disk._syncCount);
            if (disk.FailingSyncs is { } text && file.Path.Contains(text, StringComparison.Ordinal))
            {
                throw new StorageFaultException(file.Path, "fdatasync", StorageFaultException.DeviceError, "injected");
            }

            file.Sync();
        }

        public void Dispose() => file.Dispose();
    }
}
