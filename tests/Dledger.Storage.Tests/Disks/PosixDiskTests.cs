using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
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
    public void Writes_past_the_page_cache_and_through_it_make_one_file()
    {
        const int seed = 99;
        const int fileBytes = 6 << 20;
        var random = new Random(seed);
        var expected = new byte[fileBytes];
        using var file = _disk.Open("a", DiskOpenMode.CreateNew);
        file.ZeroFill(0, fileBytes);
        var end = 0;
        for (var i = 0; i < 400; i++)
        {
            switch (random.Next(8))
            {
                case 0:
                    Write(random.Next(fileBytes - 100), Bytes(random, random.Next(100)));
                    break;
                case 1 when end > 5_000:
                    end -= random.Next(5_000);
                    file.ZeroFill(end, 5_000);
                    expected.AsSpan(end, 5_000).Clear();
                    break;
                case 2:
                    file.EndUncached();
                    break;
                case 3 when end > 300:
                    Write(end - 300, Bytes(random, 200));
                    break;
                default:
                    Append(Bytes(random, random.Next(10) == 0 ? random.Next(3 << 20) : random.Next(9_000)));
                    break;
            }

            Compare(i);
        }

        void Write(int offset, byte[] bytes)
        {
            file.Write(offset, bytes);
            bytes.CopyTo(expected, offset);
        }

        // As a log does it: content in pieces, then zeros up to the end of a page, over which the next content is written.
        void Append(byte[] bytes)
        {
            end = end + bytes.Length + 4096 > fileBytes ? random.Next(4096) : end;
            var half = bytes.Length / 2;
            var zeros = new byte[-(end + bytes.Length) & 4095];
            file.WriteUncached(end, [bytes.AsMemory(0, half), bytes.AsMemory(half), zeros]);
            bytes.CopyTo(expected, end);
            end += bytes.Length;
            zeros.CopyTo(expected, end);
        }

        void Compare(int step)
        {
            var from = random.Next(fileBytes / 4096) * 4096;
            var bytes = new byte[Math.Min(fileBytes - from, 1 << 20)];
            Assert.Equal(bytes.Length, file.Read(from, bytes));
            Assert.True(expected.AsSpan(from, bytes.Length).SequenceEqual(bytes), $"seed {seed}, step {step}, read {from}");
            var pages = Pages(1 << 20);
            var count = file.ReadUncached(from, pages);
            Assert.Equal(bytes.Length, count);
            Assert.True(bytes.AsSpan().SequenceEqual(pages[..count]), $"seed {seed}, step {step}, uncached read {from}");
        }
    }

    [Fact]
    public async Task A_range_that_is_asked_for_comes_into_memory_and_the_rest_of_the_file_does_not()
    {
        const int Bytes = 8 << 20, Page = 4096, Wanted = 1_000;
        using var file = _disk.Open("a", DiskOpenMode.CreateNew);
        file.ZeroFill(0, Bytes);
        file.Sync();
        file.DropCache(0, Bytes);
        var isMemory = IsCached(Wanted) && IsCached(2 * Wanted);

        file.Prefetch((Wanted * Page) + 4_000, 200);

        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        for (var tick = 0; !IsCached(Wanted) || !IsCached(Wanted + 1); tick++)
        {
            Assert.True(tick < 10_000, "the pages never came");
            await timer.WaitForNextTickAsync();
        }

        Assert.True(isMemory || !IsCached(2 * Wanted));

        // A file system that is memory has everything.
        bool IsCached(int page)
        {
            using var mapped = MemoryMappedFile.CreateFromFile(Path.Combine(_root, "a"), FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            using var view = mapped.CreateViewAccessor(0, Bytes, MemoryMappedFileAccess.Read);
            var pages = new byte[Bytes / Page];
            Assert.Equal(0, ResidentPages(view.SafeMemoryMappedViewHandle.DangerousGetHandle(), Bytes, pages));
            return (pages[page] & 1) != 0;
        }
    }

    [Fact]
    public void Only_what_ends_with_a_page_goes_past_the_page_cache_and_only_where_the_file_system_offers_it()
    {
        using var handle = File.OpenHandle(
            Path.Combine(_root, "a"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite);
        using var direct = PosixCalls.TryOpenDirect(handle);
        using var writer = new UncachedWriter(handle, "a");

        Assert.Equal(direct is not null, writer.TryWrite(0, [new byte[4096], new byte[4096]]));
        Assert.Equal(direct is not null, writer.TryWrite(4097, [new byte[4095]]));
        Assert.False(writer.TryWrite(0, [new byte[4095]]));
        Assert.False(writer.TryWrite(100_000, [new byte[4096 - (100_000 % 4096)]]), "nothing is there to begin the page with");
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

    private static Span<byte> Pages(int count)
    {
        var array = GC.AllocateArray<byte>(count + 4096, pinned: true);
        return array.AsSpan((int)(-Marshal.UnsafeAddrOfPinnedArrayElement(array, 0) & 4095), count);
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

    [DllImport("libc", EntryPoint = "mincore")]
    private static extern int ResidentPages(nint address, nuint length, [Out] byte[] pages);
}
