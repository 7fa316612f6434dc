using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Broker.Receiving;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Disks;
using Dledger.Storage.Records;

namespace Dledger.Broker.Messages;

/// <summary>Reads single records of the log and verifies them. Any thread.</summary>
/// <remarks>
/// A record that cannot be read is an outcome, not an exception: a place of a disk may be rotten or give an error while everything else
/// is well. What is met so is reported, and mended from another node. The position of a message may be that of its row in a batch that
/// stays compressed: what is there tells, and callers need not know.
/// </remarks>
internal sealed class RecordReader
{
    private readonly Func<IReplicatedLog?> _log;
    private readonly BatchCache _batches;

    /// <param name="log">Null before the node is attached: then nothing can be read.</param>
    public RecordReader(Func<IReplicatedLog?> log)
    {
        _log = log;
        _batches = new BatchCache(this);
    }

    /// <summary>The record of an index entry is read soon, after others of which the same is said.</summary>
    public void Prefetch(LogPosition position, int size) => _log()?.Prefetch(position, size);

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
        var count = ReadBytes(position, record, out fault);
        return BatchRow.IsAt(record[..count])
            ? TryReadOfBatch(position, BatchRow.Parse(record), record, out fault)
            : IsWhole(count, record.Length, ref fault) && TryVerify(position, record, out fault);
    }

    /// <summary>The record that begins at a position; null when none does, or when it cannot be read.</summary>
    public byte[]? Read(LogPosition position)
    {
        Span<byte> bytes = stackalloc byte[RecordHeader.Size];
        bytes = bytes[..ReadBytes(position, bytes, out _)];
        return BatchRow.IsAt(bytes) ? ReadOfBatch(position, BatchRow.Parse(bytes))
            : RecordHeader.TryParse(bytes, out var header, out _) ? Read(position, header.Length, out _)
            : null;
    }

    /// <summary>
    /// Records that lie side by side, with one read; how many of them are sound, up to the first that is not, of which
    /// <paramref name="fault"/> tells. Those of one batch count as side by side when their rows are.
    /// </summary>
    public int ReadRun(
        IReadOnlyList<GrantedMessage> entries, int first, int count, Span<byte> destination, out string? fault)
    {
        var read = ReadBytes(entries[first].Position, destination, out fault);
        if (BatchRow.IsAt(destination[..read]))
        {
            read = _batches.ReadRun(entries, first, count, BatchRow.Parse(destination), destination, out fault);
            Report(read == 0, entries[first].Position);
            return read;
        }

        if (!IsWhole(read, destination.Length, ref fault))
        {
            // A place of the disk may be bad behind records that can be read.
            return count > 1 ? ReadRun(entries, first, 1, destination[..entries[first].Size], out fault) : 0;
        }

        var at = 0;
        for (var i = 0; i < count; i++)
        {
            var entry = entries[first + i];
            if (!TryVerify(entry.Position, destination.Slice(at, entry.Size), out fault))
            {
                return i;
            }

            at += entry.Size;
        }

        return count;
    }

    /// <summary>
    /// The log time at which the record of an index entry was stored; that its header fits the entry is all that says it is not rotten.
    /// </summary>
    public bool TryReadStoreTime(LogPosition position, int size, out long storeTime)
    {
        storeTime = 0;
        Span<byte> bytes = stackalloc byte[RecordHeader.Size];
        bytes = bytes[..ReadBytes(position, bytes, out _)];
        var isRow = BatchRow.IsAt(bytes);
        var row = isRow ? BatchRow.Parse(bytes) : default;
        var start = isRow ? BatchCache.StartOf(position, row) : position;
        bytes = isRow ? bytes[..ReadBytes(start, bytes, out _)] : bytes;
        if (bytes.Length < RecordHeader.Size)
        {
            return false;
        }

        if (RecordHeader.TryParse(bytes, out var header, out _)
            && (isRow ? header.Kind == RecordKind.MessageBatch && row.Length == size : header.Length == size))
        {
            storeTime = header.StoreTime;
            return true;
        }

        Report(isUnreadable: true, position);
        return false;
    }

    /// <summary>Where the record begins that holds the message at a position: itself, but for messages of a batch.</summary>
    public LogPosition StartOf(LogPosition position)
    {
        Span<byte> bytes = stackalloc byte[BatchRow.Bytes];
        return BatchRow.IsAt(bytes[..ReadBytes(position, bytes, out _)])
            ? BatchCache.StartOf(position, BatchRow.Parse(bytes))
            : position;
    }

    /// <summary>A whole batch that stays compressed, verified, in rented memory; false when it cannot be read.</summary>
    public bool TryReadBatch(LogPosition start, out RecordBuffer batch, out string? fault)
    {
        batch = default;
        Span<byte> bytes = stackalloc byte[RecordHeader.Size];
        if (!IsWhole(ReadBytes(start, bytes, out fault), bytes.Length, ref fault))
        {
            return false;
        }

        if (!RecordHeader.TryParse(bytes, out var header, out fault)
            || header.Kind != RecordKind.MessageBatch
            || header.Length > Limits.BatchRecordBytesMax)
        {
            fault ??= $"no batch begins at {start}";
            return false;
        }

        batch = RecordBuffer.Rent(header.Length);
        if (IsWhole(ReadBytes(start, batch.Span, out fault), header.Length, ref fault)
            && TryVerify(start, batch.Span, out fault))
        {
            return true;
        }

        batch.Return();
        return false;
    }

    /// <summary>
    /// How many messages the batch has that a message is the first of; 0 when it is none, or something cannot be read. That its header fits
    /// is all that says so.
    /// </summary>
    public int CountOfBatch(LogPosition first) => TryReadTable(first, out _, out var table) ? table.Count : 0;

    /// <summary>A batch as its producer compressed it, when messages from its first one on are all that it has.</summary>
    /// <param name="first">Position of the first.</param>
    /// <param name="count">How many they are.</param>
    /// <param name="accepted">What it may be compressed with.</param>
    /// <param name="batch">Verified.</param>
    public bool TryReadWhole(LogPosition first, int count, IReadOnlyList<Compression> accepted, out PackedBatch batch)
    {
        batch = default;
        if (!TryReadTable(first, out var start, out var table)
            || table.Count != count
            || !accepted.Contains(table.Compression)
            || !TryReadBatch(start, out var bytes, out _))
        {
            return false;
        }

        RecordView.TryParseUnchecked(bytes.Span, out var record, out _);
        if (!BatchTable.TryParse(record.Body, out var verified) || verified != table)
        {
            bytes.Return();
            return false;
        }

        batch = new PackedBatch(bytes, verified, record.StoreTime);
        return true;
    }

    private bool TryReadTable(LogPosition first, out LogPosition start, out BatchTable table)
    {
        table = default;
        start = first;
        Span<byte> bytes = stackalloc byte[BatchTable.RowsDistance + BatchRow.Bytes];
        var count = ReadBytes(first, bytes[..BatchRow.Bytes], out _);
        if (!BatchRow.IsAt(bytes[..count]) || BatchRow.Parse(bytes).Distance != BatchTable.RowsDistance)
        {
            return false;
        }

        start = BatchCache.StartOf(first, BatchRow.Parse(bytes));
        return ReadBytes(start, bytes, out _) == bytes.Length
            && RecordHeader.TryParse(bytes, out var header, out _)
            && header.Kind == RecordKind.MessageBatch
            && BatchTable.TryParse(bytes[RecordHeader.Size..], header.BodyLength, out table);
    }

    private byte[]? ReadOfBatch(LogPosition position, in BatchRow row)
    {
        if (row.Length is < RecordHeader.Size or > Limits.BatchRecordBytesMax)
        {
            return null;
        }

        var bytes = GC.AllocateUninitializedArray<byte>(row.Length);
        return TryReadOfBatch(position, row, bytes, out _) ? bytes : null;
    }

    // What looks like a row may be a rotten record: so the place of the row is reported, whatever became of the batch.
    private bool TryReadOfBatch(LogPosition position, in BatchRow row, Span<byte> record, out string? fault)
    {
        var isRead = _batches.TryRead(position, row, record, out fault);
        Report(!isRead, position);
        return isRead;
    }

    private bool TryVerify(LogPosition position, ReadOnlySpan<byte> record, out string? fault)
    {
        var isSound = RecordView.TryParseSealed(record, position, out _, out fault);
        Report(!isSound, position);
        return isSound;
    }

    private void Report(bool isUnreadable, LogPosition position)
    {
        if (isUnreadable)
        {
            _log()?.ReportUnreadable(position);
        }
    }

    private static bool IsWhole(int count, int wanted, ref string? fault)
    {
        fault ??= count == wanted ? null : $"{count} of {wanted} bytes are there";
        return fault is null;
    }

    // Fewer than asked for at the end of the log, and where the disk fails.
    private int ReadBytes(LogPosition position, Span<byte> bytes, out string? fault)
    {
        fault = null;
        try
        {
            return _log()?.Read(position, bytes) ?? 0;
        }
        catch (StorageFaultException storage)
        {
            fault = storage.Message;
            _log()?.ReportUnreadable(position);
            return 0;
        }
    }
}
