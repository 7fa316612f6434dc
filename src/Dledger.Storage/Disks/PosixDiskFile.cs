using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dledger.Storage.Disks;

/// <summary>A file of a <see cref="PosixDisk"/>: pread, pwrite, pwritev, fdatasync, and O_DIRECT beside them.</summary>
internal sealed unsafe class PosixDiskFile(PosixDisk disk, string path, SafeFileHandle handle) : IDiskFile
{
    // Well below IOV_MAX (1024), so that vectors fit on the stack.
    private const int VectorCountMax = 256;
    private const int ZeroBlockBytes = 1 << 20;

    private static readonly byte* Zeros = AllocateZeros();

    [ThreadStatic]
    private static MemoryHandle[]? _pins;

    private UncachedWriter? _uncached;

    /// <inheritdoc/>
    public string Path => path;

    /// <inheritdoc/>
    public long Length
    {
        get
        {
            var length = PosixCalls.Seek(handle, 0, PosixCalls.SeekEnd);
            return length >= 0 ? length : throw PosixCalls.Fault(path, "lseek");
        }
    }

    /// <inheritdoc/>
    public int Read(long offset, Span<byte> destination)
    {
        var total = 0;
        fixed (byte* start = destination)
        {
            while (total < destination.Length)
            {
                var count = PosixCalls.Read(handle, start + total, (nuint)(destination.Length - total), offset + total);
                if (count == 0)
                {
                    break;
                }

                if (count > 0)
                {
                    total += (int)count;
                }
                else if (Marshal.GetLastPInvokeError() != PosixCalls.Interrupted)
                {
                    throw PosixCalls.Fault(path, "pread");
                }
            }
        }

        return total;
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        disk.ThrowIfSyncFailed();
        _uncached?.Forget();
        fixed (byte* start = bytes)
        {
            long total = 0;
            while (total < bytes.Length)
            {
                var count = PosixCalls.Write(handle, start + total, (nuint)(bytes.Length - total), offset + total);
                if (count > 0)
                {
                    total += count;
                }
                else if (count == 0 || Marshal.GetLastPInvokeError() != PosixCalls.Interrupted)
                {
                    throw PosixCalls.Fault(path, "pwrite");
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> buffers)
    {
        disk.ThrowIfSyncFailed();
        _uncached?.Forget();
        for (var first = 0; first < buffers.Count; first += VectorCountMax)
        {
            offset += WriteVectors(offset, buffers, first, Math.Min(VectorCountMax, buffers.Count - first));
        }
    }

    /// <inheritdoc/>
    public void WriteUncached(long offset, IReadOnlyList<ReadOnlyMemory<byte>> buffers)
    {
        disk.ThrowIfSyncFailed();
        _uncached ??= new UncachedWriter(handle, path);
        if (!_uncached.TryWrite(offset, buffers))
        {
            Write(offset, buffers);
        }
    }

    /// <inheritdoc/>
    public void EndUncached()
    {
        _uncached?.Dispose();
        _uncached = null;
    }

    /// <inheritdoc/>
    public int ReadUncached(long offset, Span<byte> destination)
    {
        fixed (byte* start = destination)
        {
            if ((offset | (nint)start | (nint)destination.Length) % DiskPage.Bytes != 0)
            {
                return Read(offset, destination);
            }

            using var direct = PosixCalls.TryOpenDirect(handle);
            var count = direct is null ? -1 : PosixCalls.Read(direct, start, (nuint)destination.Length, offset);

            // Short at the end of the file, refused, or failed: the ordinary read reads the rest or tells why it cannot.
            return count == destination.Length ? (int)count : Read(offset, destination);
        }
    }

    /// <inheritdoc/>
    public void Allocate(long length)
    {
        disk.ThrowIfSyncFailed();
        var current = Length;
        if (length <= current)
        {
            return;
        }

        while (PosixCalls.Allocate(handle, 0, current, length - current) != 0)
        {
            switch (Marshal.GetLastPInvokeError())
            {
                case PosixCalls.Interrupted:
                    continue;
                case PosixCalls.NotSupported or PosixCalls.NotImplemented or PosixCalls.InvalidArgument:
                    // A file system without reservation: the length alone still saves the size change of every append.
                    SetLength(length);
                    return;
                default:
                    throw PosixCalls.Fault(path, "fallocate");
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Many zeros go past the page cache: nobody reads them, and to fill memory with them costs more than the disk does (nearly half of
    /// two cores beside a full load).
    /// </remarks>
    public void ZeroFill(long offset, long length)
    {
        disk.ThrowIfSyncFailed();
        _uncached?.Forget();
        if (length >= ZeroBlockBytes && (offset | length) % DiskPage.Bytes == 0)
        {
            using var direct = PosixCalls.TryOpenDirect(handle);
            if (direct is not null && TryWriteZeros(direct, offset, length, isDirect: true))
            {
                return;
            }
        }

        TryWriteZeros(handle, offset, length, isDirect: false);
    }

    /// <inheritdoc/>
    public void SetLength(long length)
    {
        disk.ThrowIfSyncFailed();
        _uncached?.Forget();
        while (PosixCalls.SetLength(handle, length) != 0)
        {
            if (Marshal.GetLastPInvokeError() != PosixCalls.Interrupted)
            {
                throw PosixCalls.Fault(path, "ftruncate");
            }
        }
    }

    /// <inheritdoc/>
    public void Sync() => disk.SyncHandle(handle, path, SyncScope.Contents);

    /// <inheritdoc/>
    public void Prefetch(long offset, long length) =>
        PosixCalls.Advise(handle, offset, length, PosixCalls.AdviseWillNeed);

    /// <inheritdoc/>
    public void DropCache(long offset, long length) =>
        PosixCalls.Advise(handle, offset, length, PosixCalls.AdviseDontNeed);

    /// <inheritdoc/>
    public void Dispose()
    {
        EndUncached();
        handle.Dispose();
    }

    private static byte* AllocateZeros()
    {
        var zeros = (byte*)NativeMemory.AlignedAlloc(ZeroBlockBytes, DiskPage.Bytes);
        NativeMemory.Clear(zeros, ZeroBlockBytes);
        return zeros;
    }

    // False when the file does not take a direct write of this shape.
    private bool TryWriteZeros(SafeFileHandle target, long offset, long length, bool isDirect)
    {
        for (var done = 0L; done < length;)
        {
            var count = PosixCalls.Write(target, Zeros, (nuint)Math.Min(ZeroBlockBytes, length - done), offset + done);
            if (count > 0)
            {
                done += count;
                continue;
            }

            var errno = Marshal.GetLastPInvokeError();
            if (isDirect && count < 0 && errno == PosixCalls.InvalidArgument)
            {
                return false;
            }

            if (count == 0 || errno != PosixCalls.Interrupted)
            {
                throw PosixCalls.Fault(path, "pwrite");
            }
        }

        return true;
    }

    private long WriteVectors(long offset, IReadOnlyList<ReadOnlyMemory<byte>> buffers, int first, int count)
    {
        var pins = _pins ??= new MemoryHandle[VectorCountMax];
        var vectors = stackalloc IoVector[VectorCountMax];
        var total = 0L;
        var pinned = 0;
        try
        {
            for (; pinned < count; pinned++)
            {
                var buffer = buffers[first + pinned];
                pins[pinned] = buffer.Pin();
                vectors[pinned] = new IoVector { Start = (byte*)pins[pinned].Pointer, Length = (nuint)buffer.Length };
                total += buffer.Length;
            }

            WriteAll(offset, vectors, count, total);
            return total;
        }
        finally
        {
            for (var i = 0; i < pinned; i++)
            {
                pins[i].Dispose();
                pins[i] = default;
            }
        }
    }

    private void WriteAll(long offset, IoVector* vectors, int count, long total)
    {
        var written = 0L;
        while (written < total)
        {
            var result = PosixCalls.WriteGathered(handle, vectors, count, offset + written);
            if (result <= 0)
            {
                if (result < 0 && Marshal.GetLastPInvokeError() == PosixCalls.Interrupted)
                {
                    continue;
                }

                throw PosixCalls.Fault(path, "pwritev");
            }

            written += result;
            while (count > 0 && (nuint)result >= vectors->Length)
            {
                result -= (nint)vectors->Length;
                vectors++;
                count--;
            }

            if (count > 0)
            {
                vectors->Start += result;
                vectors->Length -= (nuint)result;
            }
        }
    }
}
