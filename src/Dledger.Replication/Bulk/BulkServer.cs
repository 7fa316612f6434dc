using Dledger.Primitives;
using Dledger.Replication.Clocks;
using Dledger.Replication.Driving;
using Dledger.Replication.Tails;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

namespace Dledger.Replication.Bulk;

/// <summary>Answers what other nodes ask for in bulk. Any thread; reads from disk on the caller's.</summary>
/// <remarks>
/// Only committed bytes leave this node: whoever mends a log with them must not take over what may still be cut away. They are not
/// verified here; who asked checks every frame, and has other nodes to ask.
/// </remarks>
internal sealed class BulkServer(Func<NodePicture> picture, IStateMachine machine, LogClock clock)
{
    private readonly SnapshotShelf _snapshots = new(machine, clock);
    private RunningParts? _parts;

    /// <summary>The log is open now, or is about to be closed (null).</summary>
    public void Use(RunningParts? parts)
    {
        Volatile.Write(ref _parts, parts);
        if (parts is null)
        {
            _snapshots.Close();
        }
    }

    /// <summary>Lets go of what nobody reads any more. Called now and then.</summary>
    public void CloseIdle() => _snapshots.CloseIdle();

    /// <summary>Answers a request of a node that the gate has let in.</summary>
    public BulkReply Serve(BulkRequest request)
    {
        if (Volatile.Read(ref _parts) is not { } parts)
        {
            return BulkReply.Of(BulkOutcome.Unavailable);
        }

        try
        {
            return request switch
            {
                ReadLogRange range => ReadLog(parts, range),
                OpenSnapshot => OpenNewest(parts, picture()),
                ReadSnapshotManifest piece => _snapshots.Read(piece),
                ReadSnapshotPart piece => _snapshots.Read(piece),
                _ => BulkReply.Of(BulkOutcome.Unavailable),
            };
        }
        catch (Exception fault) when (fault is StorageFaultException or DamagedFileException)
        {
            // A read error of this disk is for this node's own scrubber and readers to act on.
            return BulkReply.Of(BulkOutcome.Unavailable);
        }
    }

    private BulkReply OpenNewest(RunningParts parts, NodePicture now) =>
        _snapshots.Open(parts, now.Start, now.SnapshotAttachment);

    private BulkReply ReadLog(RunningParts parts, ReadLogRange range)
    {
        var commit = picture().Commit;
        if (range.From < parts.Log.Start)
        {
            return BulkReply.Of(BulkOutcome.Gone);
        }

        var bytesMax = Math.Clamp(range.BytesMax, FrameHeader.Size, BulkLimits.PieceBytes);
        var bytes = Read(parts, range.From, Math.Min(bytesMax, commit - range.From));
        if (FrameLengthAt(parts, bytes, 0) is not { } first)
        {
            return BulkReply.Of(BulkOutcome.NotThere);
        }

        if (first > bytes.Length)
        {
            bytes = Read(parts, range.From, Math.Min(first, commit - range.From));
        }

        var end = 0;
        while (FrameLengthAt(parts, bytes, end) is { } length && end + length <= bytes.Length)
        {
            end += length;
        }

        return end == 0 ? BulkReply.Of(BulkOutcome.NotThere) : BulkReply.Found(bytes.AsMemory(0, end));
    }

    private static byte[] Read(RunningParts parts, LogPosition from, long length)
    {
        if (length <= 0)
        {
            return [];
        }

        var bytes = GC.AllocateUninitializedArray<byte>((int)length);
        var read = LogReading.Read(parts.Cache, parts.Log, from, bytes, settled: LogPosition.Zero);
        return read == bytes.Length ? bytes : bytes[..read];
    }

    private static int? FrameLengthAt(RunningParts parts, byte[] bytes, int offset) =>
        bytes.Length - offset >= FrameHeader.Size
        && FrameHeader.TryParse(
            bytes.AsSpan(offset, FrameHeader.Size), parts.Log.Seed, parts.Log.Options.FrameBytesMax, out var header, out _)
            ? header.FrameLength
            : null;
}
