namespace Dledger.Storage.Disks;

/// <summary>An open file with positional access.</summary>
/// <remarks>
/// Reads are safe for any thread; writes and lengths come from one thread at a time, and so do syncs, which another thread may call
/// while the first one writes: a sync covers what was written before it began. Every failed call throws
/// <see cref="StorageFaultException"/>. After a failed <see cref="Sync"/> every later write and sync on the same disk
/// throws too: the kernel may have dropped the pages, and a second sync would report success without having written
/// them.
/// </remarks>
public interface IDiskFile : IDisposable
{
    /// <summary>The path it was opened with.</summary>
    string Path { get; }

    /// <summary>Length in bytes, allocated space included.</summary>
    long Length { get; }

    /// <summary>Reads up to the destination's length; fewer bytes only at the end of the file.</summary>
    int Read(long offset, Span<byte> destination);

    /// <summary>Writes all bytes, extending the file when needed.</summary>
    void Write(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Writes the buffers one behind the other with as few system calls as possible.</summary>
    void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> buffers);

    /// <summary>
    /// The same for bytes that need not stay in the system's page cache: large appends, which would push out what is read. Best when it
    /// ends at a multiple of 4096. <see cref="Read"/> sees them as any others.
    /// </summary>
    void WriteUncached(long offset, IReadOnlyList<ReadOnlyMemory<byte>> buffers) => Write(offset, buffers);

    /// <summary>No more <see cref="WriteUncached"/> come for the present: what they needed is given back.</summary>
    void EndUncached()
    {
    }

    /// <summary>
    /// Reads without leaving the bytes in the page cache, where offset, length and memory are multiples of 4096; else as
    /// <see cref="Read"/>.
    /// </summary>
    int ReadUncached(long offset, Span<byte> destination) => Read(offset, destination);

    /// <summary>Reserves blocks so that the file is at least this long; new bytes read as zeros.</summary>
    void Allocate(long length);

    /// <summary>Writes zeros, so that later writes overwrite written blocks and a sync carries no metadata.</summary>
    void ZeroFill(long offset, long length);

    /// <summary>Cuts or extends the file.</summary>
    void SetLength(long length);

    /// <summary>Returns when contents and length are durable (fdatasync).</summary>
    void Sync();

    /// <summary>
    /// Asks that a range be read into memory, and does not wait for it: so that the device works on many scattered reads at once. Advice
    /// only, as <see cref="DropCache"/>.
    /// </summary>
    void Prefetch(long offset, long length)
    {
    }

    /// <summary>
    /// Asks that a clean range be dropped from memory, so that the next read comes from the device and a long read does
    /// not push out what others need. Advice only: it may do nothing, and never fails.
    /// </summary>
    void DropCache(long offset, long length)
    {
    }
}
