using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Dledger.Storage.Tests.Logs;

namespace Dledger.Storage.Tests.Disks;

/// <summary>The real file system.</summary>
public sealed class PosixDiskTests : IDisposable
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), $"dledger-disk-{Guid.NewGuid():n}");
    private readonly PosixDisk _disk;

    public PosixDiskTests()
    {
        _disk = new PosixDisk(_root);
        _disk.CreateDirectory("");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Bytes_written_in_pieces_and_gathered_are_read_back()
    {
        var random = new Random(1);
        var buffers = Enumerable.Range(0, 700).Select(i => Bytes(random, i % 40)).ToArray();
        using var file = _disk.Open("a", DiskOpenMode.CreateNew);

        file.Write(3, new byte[] { 9 });
        file.Write(4, buffers.Select(bytes => (ReadOnlyMemory<byte>)bytes).ToArray());
        file.Sync();

        var expected = new byte[] { 0, 0, 0, 9 }.Concat(buffers.SelectMany(bytes => bytes)).ToArray();
        var actual = new byte[expected.Length + 50];
        Assert.Equal(expected.Length, file.Length);
        Assert.Equal(expected.Length, file.Read(0, actual));
        Assert.Equal(expected, actual[..expected.Length]);
        Assert.Equal(0, file.Read(expected.Length, actual));
    }

    [Fact]
    public void Reserved_space_counts_as_length_and_reads_as_zeros()
    {
        using var file = _disk.Open("a", DiskOpenMode.CreateNew);

        file.Allocate(10_000);
        file.Write(0, new byte[] { 1 });
        file.Allocate(5_000);
        file.ZeroFill(10_000, 3 << 20);

        var bytes = new byte[10_000];
        Assert.Equal(10_000 + (3 << 20), file.Length);
        Assert.Equal(10_000, file.Read(0, bytes));
        Assert.False(bytes.AsSpan(1).ContainsAnyExcept((byte)0));
        file.SetLength(7);
        Assert.Equal(7, file.Length);
    }

    [Fact]
    public void Names_are_listed_in_order_renamed_and_deleted()
    {
        _disk.CreateDirectory("x/y/z");
        _disk.Open("x/b", DiskOpenMode.CreateNew).Dispose();
        _disk.Open("x/a", DiskOpenMode.OpenOrCreate).Dispose();
        _disk.SyncDirectory("x");

        Assert.Equal(["a", "b", "y"], _disk.List("x"));
        Assert.Empty(_disk.List("missing"));
        _disk.Rename("x/a", "x/b");
        _disk.Delete("x/b");
        _disk.DeleteDirectory("x/y/z");
        Assert.Equal(["y"], _disk.List("x"));
        Assert.True(_disk.Exists("x/y"));
        Assert.False(_disk.Exists("x/b"));
    }

    [Fact]
    public void Failures_name_path_call_and_error_number()
    {
        var missing = Assert.Throws<StorageFaultException>(() => _disk.Open("missing", DiskOpenMode.Read));
        Assert.Equal("open", missing.Call);
        Assert.Equal(2, missing.Errno);
        Assert.EndsWith("missing", missing.Path);
        _disk.Open("a", DiskOpenMode.CreateNew).Dispose();
        Assert.Throws<StorageFaultException>(() => _disk.Open("a", DiskOpenMode.CreateNew));
        using var readOnly = _disk.Open("a", DiskOpenMode.Read);
        Assert.Equal(9, Assert.Throws<StorageFaultException>(() => readOnly.Write(0, new byte[1])).Errno);
    }

    [Fact]
    public void A_failed_sync_is_reported_and_stops_every_later_write_and_sync_of_the_disk()
    {
        // The kernel refuses to sync files of /proc with EINVAL, an error that the framework's own flush swallows.
        var disk = new PosixDisk("/proc/self");
        using var file = disk.Open("comm", DiskOpenMode.ReadWrite);

        var fault = Assert.Throws<StorageFaultException>(file.Sync);

        Assert.Equal("fdatasync", fault.Call);
        Assert.Equal(22, fault.Errno);
        var later = Assert.Throws<StorageFaultException>(() => file.Write(0, "x"u8.ToArray()));
        Assert.Contains("nothing is retried", later.Message);
        Assert.Throws<StorageFaultException>(file.Sync);
        Assert.Throws<StorageFaultException>(() => disk.SyncDirectory(""));
    }

    [Fact]
    public void A_lock_has_one_holder_until_it_is_released()
    {
        var held = _disk.TryLock("LOCK");

        Assert.NotNull(held);
        Assert.Null(_disk.TryLock("LOCK"));
        Assert.Null(new PosixDisk(_root).TryLock("LOCK"));
        held.Dispose();
        using var next = _disk.TryLock("LOCK");
        Assert.NotNull(next);
    }

    [Fact]
    public void A_log_on_a_real_disk_survives_closing_with_rolls_truncation_and_spares()
    {
        var bench = new LogBench(1);
        var options = LogBench.Small with { SegmentBytes = 64 << 10 };
        var log = Open(options);
        using (var preparer = log.CreatePreparer())
        {
            preparer.Start();
            for (var i = 0; i < 50; i++)
            {
                log.Append(bench.Frames(log.Tail, new Term(1), 10));
                log.Sync();
            }

            log.TruncateTo(FirstBoundaryBehind(log, log.WrittenEnd.Value / 2));
            log.Append(bench.Frames(log.Tail, new Term(2), 10));
            log.WriteLogCheckpoint(log.Sync());
        }

        var expected = LogBench.ReadAll(log);
        log.Dispose();

        var again = Open(options);
        Assert.Equal(expected, LogBench.ReadAll(again));
        Assert.True(again.SegmentCount > 2);
        again.Dispose();
    }

    private static LogPosition FirstBoundaryBehind(CommitLog log, long target)
    {
        var position = LogPosition.Zero;
        while (position.Value < target && log.TryReadFrameSummary(position, out var frame))
        {
            position = frame.End;
        }

        return position;
    }

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private CommitLog Open(CommitLogOptions options)
    {
        _disk.CreateDirectory("log");
        var recovery = CommitLog.Open(_disk, "log", options, LogBench.Identity, TimeProvider.System);
        Assert.Null(recovery.Damage);
        return recovery.Log!;
    }
}
