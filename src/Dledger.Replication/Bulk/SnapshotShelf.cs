using System.Buffers.Binary;
using Dledger.Primitives;
using Dledger.Replication.Applying;
using Dledger.Replication.Clocks;
using Dledger.Replication.Driving;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;

namespace Dledger.Replication.Bulk;

/// <summary>The snapshots of this node that others read. Any thread; reads from disk under its lock.</summary>
/// <remarks>
/// At most one is open: opening another gives up the one before, whose reader then begins anew. One that nobody has read for a minute
/// is closed, so that a node that has gone away does not keep the log for ever (raft-and-storage.md 2.20).
/// </remarks>
internal sealed class SnapshotShelf(IStateMachine machine, LogClock clock)
{
    private const long IdleMicroseconds = 60_000_000;

    private readonly Lock _lock = new();
    private OpenedSnapshot? _opened;

    /// <summary>Opens the newest snapshot; what <see cref="OpenSnapshot"/> answers.</summary>
    public BulkReply Open(RunningParts parts, LogPosition logStart, ReadOnlyMemory<byte> attachment)
    {
        lock (_lock)
        {
            Close();
            if (TryMake(parts, logStart, attachment) is not { } opened)
            {
                return BulkReply.Of(BulkOutcome.Unavailable);
            }

            _opened = opened;
            opened.UsedAt = clock.Monotonic();
            var answer = new byte[8];
            BinaryPrimitives.WriteUInt32LittleEndian(answer, opened.Checksum);
            BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(4), opened.ManifestLength);
            return BulkReply.Found(answer);
        }
    }

    /// <summary>A piece of the manifest of the open snapshot.</summary>
    public BulkReply Read(ReadSnapshotManifest request) => Read(
        request.Snapshot, opened => opened.ReadManifest(request.Offset, PieceOf(request.BytesMax)));

    /// <summary>A piece of a part of the open snapshot.</summary>
    public BulkReply Read(ReadSnapshotPart request) => Read(
        request.Snapshot, opened => opened.ReadPart(request.Part, request.Offset, PieceOf(request.BytesMax)));

    /// <summary>Closes a snapshot that nobody reads any more. Never waits: one that is being opened or read is not idle.</summary>
    public void CloseIdle()
    {
        if (!_lock.TryEnter())
        {
            return;
        }

        try
        {
            if (_opened is { } opened && clock.Monotonic() - opened.UsedAt > IdleMicroseconds)
            {
                Close();
            }
        }
        finally
        {
            _lock.Exit();
        }
    }

    /// <summary>Closes what is open: the log is closed.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _opened?.Dispose();
            _opened = null;
        }
    }

    private BulkReply Read(uint snapshot, Func<OpenedSnapshot, ReadOnlyMemory<byte>?> read)
    {
        lock (_lock)
        {
            if (_opened is not { } opened || opened.Checksum != snapshot)
            {
                return BulkReply.Of(BulkOutcome.Gone);
            }

            opened.UsedAt = clock.Monotonic();
            return read(opened) is { } bytes ? BulkReply.Found(bytes) : BulkReply.Of(BulkOutcome.NotThere);
        }
    }

    private OpenedSnapshot? TryMake(RunningParts parts, LogPosition logStart, ReadOnlyMemory<byte> attachment)
    {
        LogPin? pin = null;
        try
        {
            // The log before the checkpoint: what lies between the log's start and the state must not go.
            pin = parts.Log.Pin(logStart);
            if (pin is not null && machine.OpenSnapshot(pin.Start, attachment) is { } source)
            {
                return new OpenedSnapshot(source, pin);
            }
        }
        catch (DamagedFileException)
        {
            // Files that the checkpoint lists are not what they were: this node cannot help before it has written another one. When
            // nothing can be committed without the node that asks, no new frame would ever make it write one.
            parts.Apply.Add(new MaintenanceWanted());
        }
        catch
        {
            pin?.Dispose();
            throw;
        }

        pin?.Dispose();
        return null;
    }

    private static int PieceOf(int bytesMax) => Math.Clamp(bytesMax, 1, BulkLimits.PieceBytes);
}
