using Dledger.Storage.Disks;
using Dledger.Storage.Logs;

namespace Dledger.ClusterSimulation.Mutations;

/// <summary>
/// A disk that forgets what a mutation takes from the storage code: syncs, writes, the order of watermarks. One for each
/// life of a process.
/// </summary>
internal sealed class DefectiveDisk(IDisk disk, Mutation mutation) : IDisk
{
    private bool _isRecovered;
    private long _watermark = -1;

    public bool Exists(string path) => disk.Exists(path);

    public IReadOnlyList<string> List(string directory) => disk.List(directory);

    public void CreateDirectory(string path) => disk.CreateDirectory(path);

    public IDiskFile Open(string path, DiskOpenMode mode) => new DefectiveFile(this, disk.Open(path, mode), mutation);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Delete(string path) => disk.Delete(path);

    public void DeleteDirectory(string path) => disk.DeleteDirectory(path);

    public void SyncDirectory(string path)
    {
        // The last step of a recovery.
        _isRecovered |= path == "log";
        if (mutation != Mutation.DirectorySyncMissing)
        {
            disk.SyncDirectory(path);
        }
    }

    public IDisposable? TryLock(string path) => disk.TryLock(path);

    public DiskSpace GetSpace() => disk.GetSpace();

    private sealed class DefectiveFile(DefectiveDisk owner, IDiskFile file, Mutation mutation) : IDiskFile
    {
        public string Path => file.Path;

        public long Length => file.Length;

        private bool IsLog => Path.StartsWith("log/", StringComparison.Ordinal);

        private bool IsUnsyncedRecovery =>
            mutation == Mutation.RecoveryWithoutResync && IsLog && !owner._isRecovered;

        private bool IsMuted => mutation switch
        {
            Mutation.AckBeforeSync => IsLog,
            Mutation.VoteBeforeMetaDurable => Path == "meta",
            _ => IsUnsyncedRecovery,
        };

        public int Read(long offset, Span<byte> destination)
        {
            var count = file.Read(offset, destination);
            if (IsLog && offset == 0 && count >= CommitLogOptions.SegmentHeaderBytes)
            {
                var page = destination[..CommitLogOptions.SegmentHeaderBytes];
                switch (mutation)
                {
                    case Mutation.HighestWatermarkWins:
                        WatermarkPages.Rewrite(page, static slot => slot with { Sequence = slot.Watermark.Value + 1 });
                        break;
                    case Mutation.DamageCutAway:
                        WatermarkPages.Rewrite(page, static slot => slot with { Watermark = LogPosition.Zero });
                        break;
                }
            }

            return count;
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            if (IsLog && WatermarkPages.IsSlot(offset, bytes.Length))
            {
                var watermark = WatermarkPages.WatermarkOf(bytes);
                var isLowered = watermark < owner._watermark;
                owner._watermark = watermark;
                if (isLowered && mutation == Mutation.TruncationKeepsWatermark)
                {
                    return;
                }
            }

            if (!IsUnsyncedRecovery || !IsThere(offset, bytes))
            {
                file.Write(offset, bytes);
            }
        }

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

        private bool IsThere(long offset, ReadOnlySpan<byte> bytes)
        {
            var present = new byte[bytes.Length];
            return file.Read(offset, present) == bytes.Length && bytes.SequenceEqual(present);
        }
    }
}
