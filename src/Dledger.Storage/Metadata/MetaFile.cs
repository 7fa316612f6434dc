using Dledger.Primitives;
using Dledger.Storage.Disks;

namespace Dledger.Storage.Metadata;

/// <summary>The file that holds a node's identity, term and vote.</summary>
/// <remarks>
/// Four slots; version s is written twice, to the slots 2 * (s % 2) and 2 * (s % 2) + 1, and synced once. A torn write
/// of version s + 1 leaves both copies of s intact, and a rotten copy has its twin. One thread at a time; <see
/// cref="Current"/> is for any thread. Format: Metadata/FORMAT.md.
/// </remarks>
public sealed class MetaFile : IDisposable
{
    private const int SlotCount = 4;

    private readonly IDiskFile _file;
    private readonly byte[] _pair = new byte[2 * MetaSlot.Bytes];
    private NodeMetadata _current;
    private long _version;
    private StorageFaultException? _fault;

    private MetaFile(IDiskFile file, NodeMetadata current, long version)
    {
        _file = file;
        _current = current;
        _version = version;
    }

    /// <summary>
    /// Slots that were found neither valid nor empty: rotten copies, or the torn write of a version never revealed.
    /// </summary>
    public int DamagedSlotCount { get; private init; }

    /// <summary>The version last read or made durable.</summary>
    public NodeMetadata Current => Volatile.Read(ref _current);

    /// <summary>
    /// Opens the file; null when there is none. Throws <see cref="DamagedFileException"/> when no slot is valid: a node
    /// that forgot its term and vote must not take part again.
    /// </summary>
    public static MetaFile? Open(IDisk disk, string path)
    {
        if (!disk.Exists(path))
        {
            return null;
        }

        var file = disk.Open(path, DiskOpenMode.ReadWrite);
        if (!TryReadNewest(file, out var version, out var metadata, out var damagedCount))
        {
            file.Dispose();
            throw new DamagedFileException(
                path, $"none of its {SlotCount} slots is valid; restore it, or replace the node");
        }

        // What was read may be in the page cache only. Written again and synced, it is durable before anybody acts on
        // it.
        var opened = new MetaFile(file, metadata!, version) { DamagedSlotCount = damagedCount };
        opened.WriteVersion(version, metadata!);
        disk.SyncDirectory(DiskPaths.ParentOf(path));
        return opened;
    }

    /// <summary>Reads the newest version without taking part in anything; null when there is no file.</summary>
    public static NodeMetadata? ReadOnly(IDisk disk, string path)
    {
        if (!disk.Exists(path))
        {
            return null;
        }

        using var file = disk.Open(path, DiskOpenMode.Read);
        return TryReadNewest(file, out _, out var metadata, out _)
            ? metadata
            : throw new DamagedFileException(path, $"none of its {SlotCount} slots is valid");
    }

    /// <summary>Creates the file; after a crash it is either whole or not there.</summary>
    public static MetaFile Create(IDisk disk, string path, NodeMetadata first)
    {
        Invariant.Check(!disk.Exists(path), $"'{path}' is created once");
        var draftPath = path + ".new";
        var file = disk.Open(draftPath, DiskOpenMode.OpenOrCreate);
        file.SetLength(0);
        file.ZeroFill(0, SlotCount * MetaSlot.Bytes);
        var created = new MetaFile(file, first, 1);
        created.WriteVersion(1, first);
        disk.Rename(draftPath, path);
        disk.SyncDirectory(DiskPaths.ParentOf(path));
        return created;
    }

    /// <summary>
    /// Makes the next version durable before it returns. The term never decreases, and a vote of a term is never
    /// changed: both are checked. After a failure every later call throws it again.
    /// </summary>
    public void Write(NodeMetadata next)
    {
        if (_fault is { } fault)
        {
            throw fault;
        }

        var current = Current;
        Invariant.Check(next.Term >= current.Term, $"term {next.Term} after {current.Term}");
        Invariant.Check(
            next.Term > current.Term || current.VotedFor == NodeId.None || next.VotedFor == current.VotedFor,
            $"vote for {next.VotedFor} after a vote for {current.VotedFor} in term {next.Term}");
        Invariant.Check(
            current.Genesis is null || current.Genesis.Equals(next.Genesis),
            $"the genesis of '{_file.Path}' never changes");
        Invariant.Check(
            next.Node == current.Node && next.StorageId == current.StorageId, $"'{_file.Path}' keeps its identity");
        try
        {
            WriteVersion(_version + 1, next);
        }
        catch (StorageFaultException failed)
        {
            _fault = failed;
            throw;
        }

        _version++;
        Volatile.Write(ref _current, next);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static bool TryReadNewest(
        IDiskFile file, out long version, out NodeMetadata? metadata, out int damagedCount)
    {
        version = 0;
        damagedCount = 0;
        metadata = null;
        var slot = new byte[MetaSlot.Bytes];
        for (var i = 0; i < SlotCount; i++)
        {
            var length = file.Read((long)i * MetaSlot.Bytes, slot);
            if (!MetaSlot.TryParse(slot.AsSpan(0, length), out var foundVersion, out var found))
            {
                damagedCount += slot.AsSpan(0, length).ContainsAnyExcept((byte)0) ? 1 : 0;
            }
            else if (foundVersion > version)
            {
                version = foundVersion;
                metadata = found;
            }
        }

        return metadata is not null;
    }

    private void WriteVersion(long version, NodeMetadata metadata)
    {
        MetaSlot.Write(_pair, version, metadata);
        _pair.AsSpan(0, MetaSlot.Bytes).CopyTo(_pair.AsSpan(MetaSlot.Bytes));
        _file.Write((version & 1) * _pair.Length, _pair);
        _file.Sync();
    }
}
