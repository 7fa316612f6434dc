using Dledger.Primitives;
using Dledger.Storage.Checkpoints;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;
using Dledger.Storage.Queues;

namespace Dledger.Storage.Snapshots;

/// <summary>The parts of a durable state checkpoint and of the queues that it covers, for sending.</summary>
/// <remarks>
/// Reads files that the apply loop may be appending to, but only what the checkpoint covers, which never changes, as
/// long as the pins hold the checkpoint and the queue files. One thread at a time, any.
/// </remarks>
public sealed class SnapshotSource : IDisposable
{
    private const int BlockBytes = 1 << 20;

    private readonly IDisk _disk;
    private readonly List<string> _paths = [];
    private readonly List<SnapshotPart> _parts = [];
    private readonly IReadOnlyList<IDisposable> _pins;
    private IDiskFile? _file;
    private int _filePart = -1;

    private SnapshotSource(IDisk disk, IReadOnlyList<IDisposable> pins)
    {
        _disk = disk;
        _pins = pins;
    }

    /// <summary>What the receiver gets first.</summary>
    public SnapshotManifest Manifest { get; private set; } = null!;

    /// <summary>
    /// Lists the parts and reads the queues' files once for their checksums. Throws <see cref="DamagedFileException"/>
    /// when a file does not hold what the checkpoint covers.
    /// </summary>
    /// <param name="disk">The disk.</param>
    /// <param name="directory">The group's directory.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="logStart">Start of the pinned log.</param>
    /// <param name="queues">What the checkpoint's state says about the queues.</param>
    /// <param name="options">Sizes of the queue files.</param>
    /// <param name="attachment">What the receiver gets with the manifest.</param>
    /// <param name="pins">What keeps the files; the source disposes them when it is disposed itself.</param>
    public static SnapshotSource Create(
        IDisk disk,
        string directory,
        CheckpointPin checkpoint,
        in ChainTail logStart,
        IEnumerable<SnapshotQueue> queues,
        ConsumeQueueOptions options,
        ReadOnlyMemory<byte> attachment,
        IReadOnlyList<IDisposable> pins)
    {
        var source = new SnapshotSource(disk, pins);
        foreach (var part in checkpoint.Manifest.Parts)
        {
            source.Add(
                $"{checkpoint.Path}/{part.Name}",
                new SnapshotPart(SnapshotPartKind.State, part.Name, 0, 0, default, part.Length, part.Crc));
        }

        foreach (var queue in queues)
        {
            source.AddQueue(DiskPaths.Join(directory, GroupLayout.Queues), queue, options, checkpoint.Applied);
        }

        source.Manifest = new SnapshotManifest
        {
            Applied = checkpoint.Applied,
            AppliedTerm = checkpoint.Manifest.Term,
            AppliedHeaderCrc = checkpoint.Manifest.HeaderCrc,
            LogStart = logStart,
            Attachment = attachment,
            Parts = source._parts,
        };
        return source;
    }

    /// <summary>Copies bytes of a part; fewer than the destination holds only at the part's end.</summary>
    public int Read(int part, long offset, Span<byte> destination)
    {
        if (_filePart != part)
        {
            _file?.Dispose();
            _file = _disk.Open(_paths[part], DiskOpenMode.Read);
            _filePart = part;
        }

        var count = (int)Math.Clamp(_parts[part].Length - offset, 0, destination.Length);
        return _file!.Read(offset, destination[..count]) == count
            ? count
            : throw new DamagedFileException(_paths[part], $"it does not hold {_parts[part].Length} bytes any more");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        foreach (var pin in _pins)
        {
            pin.Dispose();
        }
    }

    private void Add(string path, in SnapshotPart part)
    {
        _paths.Add(path);
        _parts.Add(part);
    }

    private void AddQueue(string directory, in SnapshotQueue queue, ConsumeQueueOptions options, LogPosition applied)
    {
        var number = queue.Min.Value / options.EntriesPerFile;
        for (; number * options.EntriesPerFile < queue.Max.Value; number++)
        {
            var first = number * options.EntriesPerFile;
            var length = Math.Min(options.EntriesPerFile, queue.Max.Value - first) * ConsumeQueueEntry.Bytes;
            var path = new QueueFileKey(queue.TopicId, queue.QueueId, number).PathIn(directory, options.EntriesPerFile);
            var crc = ReadQueueFile(path, length, Math.Max(0, queue.Min.Value - first), applied);
            Add(
                path,
                new SnapshotPart(
                    SnapshotPartKind.Queue,
                    "",
                    queue.TopicId,
                    queue.QueueId,
                    new QueueOffset(first),
                    length,
                    crc));
        }
    }

    /// <summary>The checksum; entries have none of their own, so at least each one must be possible.</summary>
    private uint ReadQueueFile(string path, long length, long firstKept, LogPosition applied)
    {
        using var file = _disk.Open(path, DiskOpenMode.Read);
        var block = new byte[Math.Min(length, BlockBytes / ConsumeQueueEntry.Bytes * ConsumeQueueEntry.Bytes)];
        var crc = 0u;
        for (var at = 0L; at < length; at += block.Length)
        {
            var piece = block.AsSpan(0, (int)Math.Min(block.Length, length - at));
            if (file.Read(at, piece) < piece.Length)
            {
                throw new DamagedFileException(path, $"it has less than {length} bytes");
            }

            for (var i = 0; i < piece.Length; i += ConsumeQueueEntry.Bytes)
            {
                var entry = ConsumeQueueEntry.Parse(piece[i..]);
                if ((at + i) / ConsumeQueueEntry.Bytes >= firstKept
                    && (entry.Size <= 0 || entry.Position < LogPosition.Zero || entry.Position >= applied))
                {
                    throw new DamagedFileException(path, $"entry {(at + i) / ConsumeQueueEntry.Bytes} is {entry}");
                }
            }

            crc = Crc32C.Append(crc, piece);
        }

        return crc;
    }
}
