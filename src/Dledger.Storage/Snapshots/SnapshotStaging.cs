using System.Globalization;
using Dledger.Primitives;
using Dledger.Storage.Disks;

namespace Dledger.Storage.Snapshots;

/// <summary>What became of a chunk.</summary>
public enum ChunkOutcome
{
    /// <summary>Written; the part goes on behind it.</summary>
    Accepted,

    /// <summary>The part is complete, verified and durable.</summary>
    PartComplete,

    /// <summary>Its checksum is wrong: nothing was written.</summary>
    WrongChecksum,

    /// <summary>It does not continue the part, or there is no such part: nothing was written.</summary>
    Unexpected,

    /// <summary>With it the part is complete but not what the manifest says: the part begins anew.</summary>
    PartDiscarded,
}

/// <summary>A snapshot on its way in: the manifest and files named by part number, in a directory of their
/// own.</summary>
/// <remarks>
/// No name comes from the wire. A part grows from its start on, so a transfer resumes where each file ends; what a
/// crash
/// left there is trusted only when the whole part's checksum is right. One thread at a time; not while a meta file
/// holds
/// an install intent. Format: Snapshots/FORMAT.md.
/// </remarks>
public sealed class SnapshotStaging(IDisk disk, string directory) : IDisposable
{
    internal const string ManifestName = "manifest";

    private const int BlockBytes = 1 << 20;

    private readonly string _path = DiskPaths.Join(directory, GroupLayout.Incoming);
    private long[] _received = [];
    private bool[] _complete = [];
    private IDiskFile? _file;
    private int _filePart = -1;
    private uint _fileCrc;

    /// <summary>What is being received; null before <see cref="Begin"/>.</summary>
    public SnapshotManifest? Manifest { get; private set; }

    /// <summary>Whether every part is complete.</summary>
    public bool IsComplete => Manifest is not null && Array.TrueForAll(_complete, complete => complete);

    /// <summary>
    /// Prepares for a snapshot. Parts that are there are kept if they belong to the very same manifest, and verified;
    /// anything else is removed.
    /// </summary>
    public void Begin(SnapshotManifest manifest)
    {
        var encoded = manifest.Encode();
        if (!IsSame(encoded))
        {
            Discard();
            disk.CreateDirectory(_path);
            using var file = disk.Open($"{_path}/{ManifestName}", DiskOpenMode.CreateNew);
            file.Write(0, encoded);
            file.Sync();
            disk.SyncDirectory(_path);
            disk.SyncDirectory(directory);
        }

        CloseFile();
        Manifest = manifest;
        _received = new long[manifest.Parts.Count];
        _complete = new bool[manifest.Parts.Count];
        for (var part = 0; part < _received.Length; part++)
        {
            Resume(part);
        }
    }

    /// <summary>Whether a part is there, with the right length and checksum.</summary>
    public bool HasPart(int part) => _complete[part];

    /// <summary>Where a part goes on.</summary>
    public long ReceivedBytes(int part) => _received[part];

    /// <summary>Writes the next bytes of a part.</summary>
    /// <param name="part">Its number in the manifest.</param>
    /// <param name="offset">Must be <see cref="ReceivedBytes"/> of it.</param>
    /// <param name="bytes">At least one byte.</param>
    /// <param name="crc">CRC-32C of the bytes.</param>
    public ChunkOutcome WriteChunk(int part, long offset, ReadOnlySpan<byte> bytes, uint crc)
    {
        if (Manifest is not { } manifest
            || (uint)part >= (uint)_received.Length
            || _complete[part]
            || bytes.Length == 0
            || offset != _received[part]
            || offset + bytes.Length > manifest.Parts[part].Length)
        {
            return ChunkOutcome.Unexpected;
        }

        if (Crc32C.Compute(bytes) != crc)
        {
            return ChunkOutcome.WrongChecksum;
        }

        OpenPart(part);
        _file!.Write(offset, bytes);
        _fileCrc = Crc32C.Append(_fileCrc, bytes);
        _received[part] += bytes.Length;
        return _received[part] < manifest.Parts[part].Length ? ChunkOutcome.Accepted : Complete(part);
    }

    /// <summary>
    /// Reads every part once more and makes the whole durable; null when it is what the manifest says. What is not
    /// begins anew.
    /// </summary>
    public string? Verify()
    {
        CloseFile();
        if (!IsComplete)
        {
            return "not all parts are there";
        }

        for (var part = 0; part < _received.Length; part++)
        {
            Resume(part);
            if (!_complete[part])
            {
                return $"part {part} has another length or checksum than the manifest says";
            }
        }

        disk.SyncDirectory(_path);
        return null;
    }

    /// <summary>Removes what is staged, the manifest last.</summary>
    public void Discard()
    {
        CloseFile();
        Manifest = null;
        Remove(disk, directory);
    }

    /// <inheritdoc/>
    public void Dispose() => CloseFile();

    /// <summary>The file of a part.</summary>
    internal static string PathOf(string directory, int part) => string.Create(
        CultureInfo.InvariantCulture, $"{DiskPaths.Join(directory, GroupLayout.Incoming)}/part-{part}");

    /// <summary>The staged manifest and its checksum; null when there is none.</summary>
    public static SnapshotManifest? ReadManifest(IDisk disk, string directory, out uint crc)
    {
        crc = 0;
        var path = $"{DiskPaths.Join(directory, GroupLayout.Incoming)}/{ManifestName}";
        return disk.Exists(path) ? SnapshotManifest.Parse(ReadFile(disk, path), out crc, out _) : null;
    }

    /// <summary>Removes the directory, the manifest last.</summary>
    internal static void Remove(IDisk disk, string directory)
    {
        var path = DiskPaths.Join(directory, GroupLayout.Incoming);
        if (!disk.Exists(path))
        {
            return;
        }

        foreach (var name in disk.List(path).OrderBy(name => name == ManifestName))
        {
            disk.Delete($"{path}/{name}");
        }

        disk.DeleteDirectory(path);
        disk.SyncDirectory(directory);
    }

    private static byte[] ReadFile(IDisk disk, string path)
    {
        using var file = disk.Open(path, DiskOpenMode.Read);
        var bytes = new byte[Math.Min(file.Length, SnapshotManifest.BytesMax)];
        return bytes[..file.Read(0, bytes)];
    }

    private bool IsSame(byte[] encoded)
    {
        var path = $"{_path}/{ManifestName}";
        return disk.Exists(path) && ReadFile(disk, path).AsSpan().SequenceEqual(encoded);
    }

    private void Resume(int part)
    {
        var expected = Manifest!.Parts[part];
        var path = PathOf(directory, part);
        _complete[part] = false;
        _received[part] = 0;
        if (!disk.Exists(path))
        {
            if (expected.Length == 0)
            {
                OpenPart(part);
                Complete(part);
            }

            return;
        }

        using var file = disk.Open(path, DiskOpenMode.ReadWrite);
        var length = file.Length;
        var isWhole = length == expected.Length && ComputeCrc(file, length) == expected.Crc;
        if (isWhole)
        {
            // It may be in the page cache only.
            file.Sync();
        }
        else if (length >= expected.Length)
        {
            file.SetLength(0);
            length = 0;
        }

        _complete[part] = isWhole;
        _received[part] = length;
    }

    private void OpenPart(int part)
    {
        if (_filePart == part)
        {
            return;
        }

        CloseFile();
        _file = disk.Open(PathOf(directory, part), DiskOpenMode.OpenOrCreate);
        _filePart = part;
        _fileCrc = ComputeCrc(_file, _received[part]);
    }

    private ChunkOutcome Complete(int part)
    {
        if (_fileCrc != Manifest!.Parts[part].Crc)
        {
            _file!.SetLength(0);
            _received[part] = 0;
            _fileCrc = 0;
            return ChunkOutcome.PartDiscarded;
        }

        _file!.Sync();
        disk.SyncDirectory(_path);
        CloseFile();
        _complete[part] = true;
        return ChunkOutcome.PartComplete;
    }

    private void CloseFile()
    {
        _file?.Dispose();
        _file = null;
        _filePart = -1;
    }

    private static uint ComputeCrc(IDiskFile file, long length)
    {
        var block = new byte[Math.Min(length, BlockBytes)];
        var crc = 0u;
        for (var at = 0L; at < length; at += block.Length)
        {
            var piece = block.AsSpan(0, (int)Math.Min(block.Length, length - at));
            crc = Crc32C.Append(crc, piece[..file.Read(at, piece)]);
        }

        return crc;
    }
}
