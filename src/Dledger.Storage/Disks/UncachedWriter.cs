using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dledger.Storage.Disks;

/// <summary>
/// Writes of one file that go past the page cache (O_DIRECT): the bytes are gathered in aligned memory, which the device reads.
/// </summary>
/// <remarks>
/// The page in which a write ends is remembered, so that the next one, which begins inside of it, need not read it from the device.
/// Owned by the thread that writes the file.
/// </remarks>
internal sealed unsafe class UncachedWriter(SafeFileHandle file, string path) : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly SafeFileHandle? _direct = PosixCalls.TryOpenDirect(file);
    private readonly byte* _buffer = (byte*)NativeMemory.AlignedAlloc(BufferBytes, DiskPage.Bytes);
    private readonly byte* _lastPage = (byte*)NativeMemory.AlignedAlloc(DiskPage.Bytes, DiskPage.Bytes);
    private long _lastPageOffset = -1;
    private bool _isRefused;

    /// <summary>The file was changed in another way: what is remembered of it does not count any more.</summary>
    public void Forget() => _lastPageOffset = -1;

    /// <summary>
    /// Writes the buffers one behind the other; false, with nothing written, unless they end with a page, and where the file system does
    /// not offer it.
    /// </summary>
    public bool TryWrite(long offset, IReadOnlyList<ReadOnlyMemory<byte>> buffers)
    {
        var used = (int)(offset % DiskPage.Bytes);
        var at = offset - used;
        if (_direct is null
            || _isRefused
            || (offset + LengthOf(buffers)) % DiskPage.Bytes != 0
            || (used > 0 && !TryFillFirstPage(at)))
        {
            Forget();
            return false;
        }

        for (var i = 0; i < buffers.Count; i++)
        {
            var rest = buffers[i].Span;
            while (!rest.IsEmpty)
            {
                var part = rest[..Math.Min(rest.Length, BufferBytes - used)];
                part.CopyTo(new Span<byte>(_buffer + used, part.Length));
                rest = rest[part.Length..];
                used += part.Length;
                if (used == BufferBytes)
                {
                    if (!TryFlush(at, used, isFirst: at <= offset))
                    {
                        return false;
                    }

                    at += used;
                    used = 0;
                }
            }
        }

        return used == 0 || TryFlush(at, used, isFirst: at <= offset);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _direct?.Dispose();
        NativeMemory.AlignedFree(_buffer);
        NativeMemory.AlignedFree(_lastPage);
    }

    private static long LengthOf(IReadOnlyList<ReadOnlyMemory<byte>> buffers)
    {
        var length = 0L;
        for (var i = 0; i < buffers.Count; i++)
        {
            length += buffers[i].Length;
        }

        return length;
    }

    private bool TryFillFirstPage(long at)
    {
        if (_lastPageOffset == at)
        {
            Buffer.MemoryCopy(_lastPage, _buffer, DiskPage.Bytes, DiskPage.Bytes);
            return true;
        }

        return PosixCalls.Read(file, _buffer, DiskPage.Bytes, at) == DiskPage.Bytes;
    }

    // False when the file takes no such writes at all, which the first one tells.
    private bool TryFlush(long at, int length, bool isFirst)
    {
        Forget();
        for (var done = 0; done < length;)
        {
            var count = PosixCalls.Write(_direct!, _buffer + done, (nuint)(length - done), at + done);
            if (count > 0)
            {
                done += (int)count;
                continue;
            }

            var errno = Marshal.GetLastPInvokeError();
            if (isFirst && done == 0 && count < 0 && errno == PosixCalls.InvalidArgument)
            {
                _isRefused = true;
                return false;
            }

            if (count == 0 || errno != PosixCalls.Interrupted)
            {
                throw PosixCalls.Fault(path, "pwrite");
            }
        }

        Buffer.MemoryCopy(
            _buffer + length - DiskPage.Bytes, _lastPage, DiskPage.Bytes, DiskPage.Bytes);
        _lastPageOffset = at + length - DiskPage.Bytes;
        return true;
    }
}
