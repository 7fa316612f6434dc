using System.Globalization;
using Dledger.Primitives;
using Dledger.Storage.Disks;

namespace Dledger.Storage.Checkpoints;

/// <summary>
/// Snapshots of the state machine on this node's disk, one directory each, named by the applied position.
/// </summary>
/// <remarks>
/// A checkpoint counts only with a valid manifest, which is written and synced last. The newest two are kept: the older
/// one helps when the newer one rots. One thread at a time. Format: Checkpoints/FORMAT.md.
/// </remarks>
public sealed class StateCheckpointStore(IDisk disk, string directory)
{
    private const string ManifestName = "manifest";
    private const int KeptCount = 2;

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
    public StateCheckpoint? ReadNewest(LogPosition maximum, out IReadOnlyList<string> faults)
    {
        var found = new List<string>();
        faults = found;
        foreach (var position in ListPositions().Where(position => position <= maximum.Value))
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

    private StateCheckpoint? Read(LogPosition applied, out string? fault)
    {
        var path = PathOf(applied.Value);
        if (!disk.Exists($"{path}/{ManifestName}"))
        {
            fault = "no manifest, it was never finished";
            return null;
        }

        var manifest = CheckpointManifest.Parse(ReadFile($"{path}/{ManifestName}"), out fault);
        if (manifest is not null && manifest.Applied != applied)
        {
            fault = $"its manifest is that of {manifest.Applied}";
        }

        if (manifest is null || fault is not null)
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
        var keptCount = 1;
        foreach (var position in ListPositions().Where(position => position < applied.Value))
        {
            var path = PathOf(position);
            if (keptCount < KeptCount && disk.Exists($"{path}/{ManifestName}"))
            {
                keptCount++;
            }
            else
            {
                Remove(path);
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

    private static bool IsPartName(string name) =>
        name.Length is > 0 and <= 64
        && name != ManifestName
        && name.All(letter => letter is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');
}
