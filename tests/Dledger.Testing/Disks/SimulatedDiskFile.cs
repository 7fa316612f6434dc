using Dledger.Storage.Disks;

namespace Dledger.Testing.Disks;

/// <summary>An open handle of a simulated file; dead after the disk was started again.</summary>
internal sealed class SimulatedDiskFile(SimulatedDisk disk, string path, SimulatedFile file, int life, bool isReadOnly)
    : IDiskFile
{
    /// <inheritdoc/>
    public string Path => path;

    /// <inheritdoc/>
    public long Length => disk.LengthOf(path, life, file);

    /// <inheritdoc/>
    public int Read(long offset, Span<byte> destination) => disk.ReadBytes(path, life, file, offset, destination);

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        var copy = bytes.ToArray();
        Execute("pwrite", () => WriteChecked(disk.Direct(path, offset), copy));
    }

    /// <inheritdoc/>
    public void WriteUncached(long offset, IReadOnlyList<ReadOnlyMemory<byte>> buffers)
    {
        disk.UncachedWriteCount++;
        Write(offset, buffers);
    }

    /// <inheritdoc/>
    public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> buffers)
    {
        Execute("pwritev", () =>
        {
            offset = disk.Direct(path, offset);
            foreach (var buffer in buffers)
            {
                WriteChecked(offset, buffer.Span);
                offset += buffer.Length;
            }
        });
    }

    /// <inheritdoc/>
    public void Allocate(long length)
    {
        Execute("fallocate", () =>
        {
            disk.CheckSpace(path, file, length);
            file.Allocate(length);
        });
    }

    /// <inheritdoc/>
    public void ZeroFill(long offset, long length)
    {
        Execute("pwrite", () =>
        {
            disk.CheckSpace(path, file, offset + length);
            if (disk.WriteFindsNoSpace?.Invoke(path) == true)
            {
                file.WriteZeros(offset, length / 2);
                throw NoSpace();
            }

            file.WriteZeros(offset, length);
            disk.NoteWritten(length);
        });
    }

    /// <inheritdoc/>
    public void SetLength(long length) => Execute("ftruncate", () => file.SetLength(length));

    /// <inheritdoc/>
    public void Sync() => Execute("fdatasync", () => disk.SyncFile(path, file));

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held: the content belongs to the disk.
    }

    private void Execute(string call, Action effect) => disk.ExecuteOnFile(call, path, life, isReadOnly, effect);

    private void WriteChecked(long offset, ReadOnlySpan<byte> bytes)
    {
        disk.CheckSpace(path, file, offset + bytes.Length);
        if (disk.WriteFindsNoSpace?.Invoke(path) == true)
        {
            file.Write(offset, bytes[..(bytes.Length / 2)]);
            throw NoSpace();
        }

        file.Write(offset, bytes);
        disk.NoteWritten(bytes.Length);
    }
    private StorageFaultException NoSpace() =>
        new(path, "pwrite", StorageFaultException.NoSpace, "No space left on device");
}
