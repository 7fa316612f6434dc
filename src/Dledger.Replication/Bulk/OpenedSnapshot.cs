using Dledger.Primitives;
using Dledger.Storage.Logs;
using Dledger.Storage.Snapshots;

namespace Dledger.Replication.Bulk;

/// <summary>A snapshot that other nodes read at present, and what keeps its files and the log behind it.</summary>
/// <remarks>Owned by <see cref="SnapshotShelf"/>, under its lock.</remarks>
internal sealed class OpenedSnapshot(SnapshotSource source, LogPin log) : IDisposable
{
    private readonly byte[] _manifest = source.Manifest.Encode();

    /// <summary>The checksum that names it.</summary>
    public uint Checksum { get; } = ChecksumOf(source.Manifest);

    /// <summary>Monotonic microseconds of the last request.</summary>
    public long UsedAt { get; set; }

    /// <summary>Bytes of the manifest.</summary>
    public int ManifestLength => _manifest.Length;

    /// <summary>A piece of the manifest; empty behind its end.</summary>
    public ReadOnlyMemory<byte> ReadManifest(int offset, int bytesMax) =>
        offset >= _manifest.Length
            ? ReadOnlyMemory<byte>.Empty
            : _manifest.AsMemory(offset, Math.Min(bytesMax, _manifest.Length - offset));

    /// <summary>A piece of a part; empty behind its end, null when there is no such part.</summary>
    public ReadOnlyMemory<byte>? ReadPart(int part, long offset, int bytesMax)
    {
        if (part >= source.Manifest.Parts.Count)
        {
            return null;
        }

        var length = (int)Math.Clamp(source.Manifest.Parts[part].Length - offset, 0, bytesMax);
        var bytes = GC.AllocateUninitializedArray<byte>(length);
        return bytes.AsMemory(0, source.Read(part, offset, bytes));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        source.Dispose();
        log.Dispose();
    }

    private static uint ChecksumOf(SnapshotManifest manifest)
    {
        var isManifest = SnapshotManifest.Parse(manifest.Encode(), out var checksum, out var fault) is not null;
        Invariant.Check(isManifest, $"an own manifest is valid: {fault}");
        return checksum;
    }
}
