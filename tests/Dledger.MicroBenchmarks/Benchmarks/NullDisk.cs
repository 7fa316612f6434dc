using Dledger.Storage.Disks;

namespace Dledger.MicroBenchmarks.Benchmarks;

/// <summary>A disk that, once it is muted, forgets what is written and syncs at once.</summary>
internal sealed class NullDisk(IDisk disk) : IDisk
{
    public bool IsMuted { get; set; }

    public bool Exists(string path) => disk.Exists(path);

    public IReadOnlyList<string> List(string directory) => disk.List(directory);

    public void CreateDirectory(string path) => disk.CreateDirectory(path);

    public IDiskFile Open(string path, DiskOpenMode mode) => new File(this, disk.Open(path, mode));

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Delete(string path) => disk.Delete(path);

    public void DeleteDirectory(string path) => disk.DeleteDirectory(path);

    public void SyncDirectory(string path) => disk.SyncDirectory(path);

    public DiskSpace GetSpace() => disk.GetSpace();

    public IDisposable? TryLock(string path) => disk.TryLock(path);

    private sealed class File(NullDisk disk, IDiskFile file) : IDiskFile
    {
        private long _length;

        public string Path => file.Path;

        public long Length => Math.Max(_length, file.Length);

        public int Read(long offset, Span<byte> destination) => file.Read(offset, destination);

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            if (!disk.IsMuted)
            {
                file.Write(offset, bytes);
            }
        }

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> buffers)
        {
            if (!disk.IsMuted)
            {
                file.Write(offset, buffers);
            }
        }

        public void Allocate(long length) => Do(length, () => file.Allocate(length));

        public void ZeroFill(long offset, long length) => Do(offset + length, () => file.ZeroFill(offset, length));

        public void SetLength(long length) => Do(length, () => file.SetLength(length));

        public void Sync()
        {
            if (!disk.IsMuted)
            {
                file.Sync();
            }
        }

        public void Dispose() => file.Dispose();

        private void Do(long length, Action action)
        {
            if (disk.IsMuted)
            {
                _length = length;
            }
            else
            {
                action();
            }
        }
    }
}
