using System.Globalization;
using Dledger.Primitives;
using Dledger.Storage.Disks;

namespace Dledger.Storage.Checkpoints;

/// <summary>
/// Snapshots of the state machine on this node's disk, one directory each, named by the applied position.
/// </summary>
/// <remarks>
/// A checkpoint counts only with a valid manifest, which is written and synced last. The newest two are kept: the older
/// one helps when the newer one rots. One thread at a time, except for pins. Format: Checkpoints/FORMAT.md.
/// </remarks>
public sealed class StateCheckpointStore(IDisk disk, string directory)
{
    private const string ManifestName = "manifest";
    private const int KeptCount = 2;

    private readonly Lock _lock = new();
    private readonly List<CheckpointPin> _pins = [];

    /// <summary>
    /// Writes a checkpoint; returns when it is durable, and then removes older ones. One that is there already is left
    /// as it is: the log up to a position determines the state. The caller has made the log durable up to <paramref
    /// name="applied"/> and the ConsumeQueues up to what the state says.
    /// </summary>
    /// <param name="applied">The position up to which the state includes the log.</param>
    /// <param name="term">Term of the frame that ends there.</param>
    /// <param name="headerCrc">Its header checksum.</param>
    /// <param name="parts">Named contents; a name has 1 to 64 letters a-z, digits or '-'.</param>
    public void Write(
        LogPosition applied,
        Term term,
        uint headerCrc,
        IReadOnlyList<(string Name, ReadOnlyMemory<byte> Content)> parts)
    {
        if (Read(applied, out _) is not null)
        {
            return;
        }

        var path = PathOf(applied.Value);
        Remove(path);
        disk.CreateDirectory(path);
        var written = new List<CheckpointPart>();
        foreach (var (name, content) in parts)
        {
            Invariant.Check(IsPartName(name), $"'{name}' names a part");
            WriteFile($"{path}/{name}", content.Span);
            written.Add(new CheckpointPart(name, content.Length, Crc32C.Compute(content.Span)));
        }

        disk.SyncDirectory(path);
        WriteFile($"{path}/{ManifestName}", new CheckpointManifest(applied, term, headerCrc, written).Encode());
        disk.SyncDirectory(path);
        disk.SyncDirectory(directory);
        disk.SyncDirectory(DiskPaths.ParentOf(directory));
        RemoveOlder(applied);
    }

    /// <summary>
    /// The newest valid checkpoint at or below a position, or null. Newer ones that are incomplete or damaged are
    /// skipped and named in <paramref name="faults"/>.
    /// </summary>
    /// <param name="maximum">End of the durable log.</param>
    /// <param name="faults">What is wrong with the ones skipped.</param>
    /// <param name="installed">
    /// Applied position of an installed snapshot, from the meta file: this one may lie beyond the maximum.
    /// </param>
    public StateCheckpoint? ReadNewest(
        LogPosition maximum, out IReadOnlyList<string> faults, LogPosition? installed = null)
    {
        var found = new List<string>();
        faults = found;
        foreach (var position in ListPositions()
            .Where(position => position <= maximum.Value || position == installed?.Value))
        {
            var checkpoint = Read(new LogPosition(position), out var fault);
            if (checkpoint is not null)
            {
                return checkpoint;
            }

            found.Add($"state checkpoint {PathOf(position)}: {fault}");
        }

        return null;
    }

    /// <summary>
    /// Applied positions of the checkpoints with a valid manifest, newest first. The log must be kept from the first of
    /// them on, and from the second on if it shall help when the first one rots.
    /// </summary>
    public IReadOnlyList<LogPosition> ListDurable() =>
    [
        .. ListPositions()
            .Select(position => new LogPosition(position))
            .Where(at => ReadManifest(at, out _) is not null),
    ];

    /// <summary>
    /// Keeps the newest checkpoint with a valid manifest from being removed until the result is disposed; null when
    /// there is none. Any thread.
    /// </summary>
    public CheckpointPin? PinNewest()
    {
        lock (_lock)
        {
            foreach (var position in ListPositions())
            {
                if (ReadManifest(new LogPosition(position), out _) is { } manifest)
                {
                    var pin = new CheckpointPin(this, PathOf(position), manifest);
                    _pins.Add(pin);
                    return pin;
                }
            }

            return null;
        }
    }

    /// <summary>The content of one part of a pinned checkpoint, its checksum verified. Any thread.</summary>
    public byte[] ReadPart(CheckpointPin pin, string name)
    {
        var path = $"{pin.Path}/{name}";
        var content = disk.Exists(path) ? ReadFile(path) : [];
        foreach (var part in pin.Manifest.Parts)
        {
            if (part.Name == name && part.Length == content.Length && part.Crc == Crc32C.Compute(content))
            {
                return content;
            }
        }

        throw new DamagedFileException(path, "it is not what the manifest says");
    }

    /// <summary>Reads all of a pinned checkpoint once. Any thread.</summary>
    /// <exception cref="DamagedFileException">A part is not what the manifest says.</exception>
    public void Verify(CheckpointPin pin)
    {
        foreach (var part in pin.Manifest.Parts)
        {
            ReadPart(pin, part.Name);
        }
    }

    /// <summary>Whether a name can be that of a part.</summary>
    internal static bool IsPartName(string name) =>
        name.Length is > 0 and <= 64
        && name != ManifestName
        && name.All(letter => letter is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');

    /// <summary>Gives a pinned checkpoint free.</summary>
    internal void Unpin(CheckpointPin pin)
    {
        lock (_lock)
        {
            _pins.Remove(pin);
        }
    }

    /// <summary>Where a part of a checkpoint lies.</summary>
    internal string PathOf(LogPosition applied, string part) => $"{PathOf(applied.Value)}/{part}";

    /// <summary>Removes every checkpoint but the one at a position, before that one is installed.</summary>
    internal void RemoveOthers(LogPosition applied)
    {
        foreach (var position in ListPositions().Where(position => position != applied.Value))
        {
            Remove(PathOf(position));
        }
    }

    /// <summary>
    /// Makes a checkpoint of parts that were moved to their places; durable when it returns. Throws <see
    /// cref="DamagedFileException"/> when a part is not what the manifest says.
    /// </summary>
    internal void Adopt(CheckpointManifest manifest)
    {
        var path = PathOf(manifest.Applied.Value);
        disk.SyncDirectory(path);
        if (disk.Exists($"{path}/{ManifestName}"))
        {
            disk.Delete($"{path}/{ManifestName}");
        }

        WriteFile($"{path}/{ManifestName}", manifest.Encode());
        disk.SyncDirectory(path);
        disk.SyncDirectory(directory);
        disk.SyncDirectory(DiskPaths.ParentOf(directory));
        if (Read(manifest.Applied, out var fault) is null)
        {
            throw new DamagedFileException(path, fault!);
        }
    }

    private CheckpointManifest? ReadManifest(LogPosition applied, out string? fault)
    {
        var path = $"{PathOf(applied.Value)}/{ManifestName}";
        if (!disk.Exists(path))
        {
            fault = "no manifest, it was never finished";
            return null;
        }

        var manifest = CheckpointManifest.Parse(ReadFile(path), out fault);
        if (manifest is not null && manifest.Applied != applied)
        {
            fault = $"its manifest is that of {manifest.Applied}";
        }

        return fault is null ? manifest : null;
    }

    private StateCheckpoint? Read(LogPosition applied, out string? fault)
    {
        var path = PathOf(applied.Value);
        if (ReadManifest(applied, out fault) is not { } manifest)
        {
            return null;
        }

        var parts = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var part in manifest.Parts)
        {
            var partPath = $"{path}/{part.Name}";
            var content = disk.Exists(partPath) ? ReadFile(partPath) : [];
            if (content.Length != part.Length || Crc32C.Compute(content) != part.Crc)
            {
                fault = $"part '{part.Name}' has another length or checksum than the manifest says";
                return null;
            }

            parts.Add(part.Name, content);
        }

        return new StateCheckpoint(applied, manifest.Term, manifest.HeaderCrc, parts);
    }

    /// <summary>Positions that a directory exists for, newest first.</summary>
    private List<long> ListPositions()
    {
        var positions = new List<long>();
        foreach (var name in disk.List(directory))
        {
            if (name.Length == 20
                && long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var position))
            {
                positions.Add(position);
            }
        }

        positions.Sort((left, right) => right.CompareTo(left));
        return positions;
    }

    private void RemoveOlder(LogPosition applied)
    {
        lock (_lock)
        {
            var keptCount = 1;
            foreach (var position in ListPositions().Where(position => position < applied.Value))
            {
                var path = PathOf(position);
                if (keptCount < KeptCount && disk.Exists($"{path}/{ManifestName}"))
                {
                    keptCount++;
                }
                else if (!_pins.Exists(pin => pin.Applied.Value == position))
                {
                    Remove(path);
                }
            }
        }
    }

    private void Remove(string path)
    {
        if (!disk.Exists(path))
        {
            return;
        }

        // The manifest first: what remains after a crash is visibly unfinished.
        if (disk.Exists($"{path}/{ManifestName}"))
        {
            disk.Delete($"{path}/{ManifestName}");
        }

        foreach (var name in disk.List(path))
        {
            disk.Delete($"{path}/{name}");
        }

        disk.DeleteDirectory(path);
    }

    private void WriteFile(string path, ReadOnlySpan<byte> content)
    {
        using var file = disk.Open(path, DiskOpenMode.CreateNew);
        file.Write(0, content);
        file.Sync();
    }

    private byte[] ReadFile(string path)
    {
        using var file = disk.Open(path, DiskOpenMode.Read);
        var bytes = new byte[file.Length];
        var length = file.Read(0, bytes);
        return length == bytes.Length ? bytes : bytes[..length];
    }

    private string PathOf(long applied) => $"{directory}/{applied.ToString("D20", CultureInfo.InvariantCulture)}";
}
