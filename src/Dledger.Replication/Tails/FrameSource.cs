using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;

namespace Dledger.Replication.Tails;

/// <summary>
/// Reads committed frames in order for one reader: from the tail cache, else in pieces of 1 MiB from the CommitLog.
/// </summary>
/// <remarks>Owned by one thread. What comes from disk is verified again: header, payload and chain.</remarks>
internal sealed class FrameSource(TailCache cache, CommitLog log)
{
    private const int ChunkBytes = 1 << 20;

    private ReadOnlyMemory<byte> _chunk;
    private LogPosition _chunkStart;

    /// <summary>The committed frame that begins at <paramref name="base"/>.</summary>
    /// <param name="base">A frame boundary below <paramref name="commit"/>.</param>
    /// <param name="commit">Nothing behind it is read.</param>
    /// <exception cref="DamagedFileException">The bytes on disk are not a valid frame.</exception>
    public CachedFrame Read(LogPosition @base, LogPosition commit)
    {
        if (cache.TryGet(@base, out var frame))
        {
            _chunk = default;
            return frame;
        }

        if (!Holds(@base, FrameHeader.Size))
        {
            Fill(@base, commit, ChunkBytes);
        }

        var length = LengthOf(@base);
        if (!Holds(@base, length))
        {
            Fill(@base, commit, Math.Max(length, ChunkBytes));
        }

        var rest = _chunk[(int)(@base - _chunkStart)..];
        var bytes = rest[..Math.Min(length, rest.Length)];
        if (!FrameReader.TryReadAlone(
            bytes.Span, @base, log.Identity.Seed, log.Options.FrameBytesMax, out var view, out var fault))
        {
            throw Damage(@base, fault);
        }

        return new CachedFrame(view.Header, bytes);
    }

    private bool Holds(LogPosition position, int length) =>
        position >= _chunkStart && position + length <= _chunkStart + _chunk.Length;

    private int LengthOf(LogPosition @base)
    {
        var bytes = _chunk.Span[(int)(@base - _chunkStart)..];
        return FrameHeader.TryParse(bytes, log.Identity.Seed, log.Options.FrameBytesMax, out var header, out var fault)
            ? header.FrameLength
            : throw Damage(@base, fault);
    }

    // Behind the cache's start the CommitLog may hold bytes that are about to be cut away: they are not read.
    private void Fill(LogPosition from, LogPosition commit, int bytes)
    {
        var limit = LogPosition.Min(commit, cache.Start);
        var buffer = GC.AllocateUninitializedArray<byte>((int)Math.Clamp(limit - from, 0, bytes));
        var read = log.Read(from, buffer);
        _chunk = buffer.AsMemory(0, read);
        _chunkStart = from;
    }

    private static DamagedFileException Damage(LogPosition position, string? fault) =>
        new($"log at {position}", fault ?? "not a frame");
}
