using Dledger.Storage.Disks;

namespace Dledger.ClusterSimulation.Mutations;

/// <summary>A disk whose syncs lie in the way that a mutation asks for.</summary>
internal sealed class DefectiveDisk(IDisk disk, Mutation mutation) : IDisk
{
    public bool Exists(string path) => disk.Exists(path);

    public IReadOnlyList<string> List(string directory) => disk.List(directory);

    public void CreateDirectory(string path) => disk.CreateDirectory(path);

    public IDiskFile Open(string path, DiskOpenMode mode) => new DefectiveFile(disk.Open(path, mode), mutation);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Delete(string path) => disk.Delete(path);

    public void DeleteDirectory(string path) => disk.DeleteDirectory(path);

    public void SyncDirectory(string path)
    {
        if (mutation != Mutation.DirectorySyncMissing)
        {
            disk.SyncDirectory(path);
        }
    }

    public IDisposable? TryLock(string path) => disk.TryLock(path);

    public DiskSpace GetSpace() => disk.GetSpace();

    private sealed class DefectiveFile(IDiskFile file, Mutation mutation) : IDiskFile
    {
        public string Path => file.Path;

        public long Length => file.Length;

        private bool IsMuted => mutation switch
        {
            Mutation.AckBeforeSync => Path.StartsWith("log/", StringComparison.Ordinal),
            Mutation.VoteBeforeMetaDurable => Path == "meta",
            _ => false,
        };

        public int Read(long offset, Span<byte> destination) => file.Read(offset, destination);

        public void Write(long offset, ReadOnlySpan<byte> bytes) => file.Write(offset, bytes);

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> buffers) => file.Write(offset, buffers);

        public void Allocate(long length) => file.Allocate(length);

        public void ZeroFill(long offset, long length) => file.ZeroFill(offset, length);

        public void SetLength(long length) => file.SetLength(length);

        public void Sync()
        {
            if (IsMuted)
            {
                return;
            }

            try
            {
                file.Sync();
            }
            catch (StorageFaultException) when (mutation == Mutation.RetryAfterFailedSync)
            {
                // The kernel calls the pages clean now: a second sync has nothing to do and says that all is well.
            }
        }

        public void Dispose() => file.Dispose();
    }
}
