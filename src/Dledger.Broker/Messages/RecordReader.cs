using Dledger.Broker.Receiving;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Disks;
using Dledger.Storage.Records;

namespace Dledger.Broker.Messages;

/// <summary>Reads single records of the log and verifies them. Any thread.</summary>
/// <remarks>
/// A record that cannot be read is an outcome, not an exception: a place of a disk may be rotten or give an error while everything else
/// is well. What is met so is reported, and mended from another node.
/// </remarks>
/// <param name="log">Null before the node is attached: then nothing can be read.</param>
internal sealed class RecordReader(Func<IReplicatedLog?> log)
{
    /// <summary>The record of an index entry; null when it cannot be read, or is gone.</summary>
    public byte[]? Read(LogPosition position, int size) => Read(position, size, out _);

    /// <summary>The same; <paramref name="fault"/> says why there is none.</summary>
    public byte[]? Read(LogPosition position, int size, out string? fault)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(size);
        return TryRead(position, bytes, out fault) ? bytes : null;
    }

    /// <summary>The same into memory of exactly the record's size; false when it cannot be read.</summary>
    public bool TryRead(LogPosition position, Span<byte> record, out string? fault)
    {
        if (!TryReadBytes(position, record, out fault))
        {
            return false;
        }

        if (RecordView.TryParseSealed(record, position, out _, out fault))
        {
            return true;
        }

        log()?.ReportUnreadable(position);
        return false;
    }

    /// <summary>The record that begins at a position; null when none does, or when it cannot be read.</summary>
    public byte[]? Read(LogPosition position)
    {
        Span<byte> bytes = stackalloc byte[RecordHeader.Size];
        return TryReadBytes(position, bytes, out _) && RecordHeader.TryParse(bytes, out var header, out _)
            ? Read(position, header.Length, out _)
            : null;
    }

    /// <summary>
    /// Records that lie side by side, with one read; how many of them are sound, up to the first that is not, of which
    /// <paramref name="fault"/> tells.
    /// </summary>
    public int ReadRun(
        IReadOnlyList<GrantedMessage> entries, int first, int count, Span<byte> destination, out string? fault)
    {
        if (!TryReadBytes(entries[first].Position, destination, out fault))
        {
            // A place of the disk may be bad behind records that can be read.
            return count > 1 ? ReadRun(entries, first, 1, destination[..entries[first].Size], out fault) : 0;
        }

        var at = 0;
        for (var i = 0; i < count; i++)
        {
            var entry = entries[first + i];
            if (!RecordView.TryParseSealed(destination.Slice(at, entry.Size), entry.Position, out _, out fault))
            {
                log()?.ReportUnreadable(entry.Position);
                return i;
            }

            at += entry.Size;
        }

        return count;
    }

    /// <summary>The header of the record of an index entry; that it fits the entry is all that says it is not rotten.</summary>
    public bool TryReadHeader(LogPosition position, int size, out RecordHeader header)
    {
        header = default;
        Span<byte> bytes = stackalloc byte[RecordHeader.Size];
        if (!TryReadBytes(position, bytes, out _))
        {
            return false;
        }

        if (RecordHeader.TryParse(bytes, out header, out _) && header.Length == size)
        {
            return true;
        }

        log()?.ReportUnreadable(position);
        return false;
    }

    private bool TryReadBytes(LogPosition position, Span<byte> bytes, out string? fault)
    {
        try
        {
            var count = log()?.Read(position, bytes) ?? 0;
            fault = count == bytes.Length ? null : $"{count} of {bytes.Length} bytes are there";
        }
        catch (StorageFaultException storage)
        {
            fault = storage.Message;
            log()?.ReportUnreadable(position);
        }

        return fault is null;
    }
}
