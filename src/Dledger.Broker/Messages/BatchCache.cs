using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Messages;

/// <summary>Reads messages out of batches that stay compressed, and keeps a few batches unpacked meanwhile. Any thread.</summary>
/// <remarks>
/// What is read of a batch is mostly read one message after another, by several groups at about the same time: unpacking it once for all
/// of them is what this is for. A batch at a position never changes, so nothing has to be forgotten. Each slot is a lock of its own; who
/// waits for one waits for a batch that would have to be unpacked anyway, or for a copy.
/// </remarks>
internal sealed class BatchCache(RecordReader reader)
{
    /// <summary>With the largest batch in each slot that is 20 MiB; batches of clients are mostly below 1 MiB.</summary>
    private const int SlotCount = 4;

    private readonly Slot[] _slots = [new Slot(), new Slot(), new Slot(), new Slot()];

    /// <summary>Where the batch of a row begins.</summary>
    public static LogPosition StartOf(LogPosition position, in BatchRow row) => new(Math.Max(0, position.Value - row.Distance));

    /// <summary>The record of a message, sealed to its own position, into memory of exactly its size.</summary>
    public bool TryRead(LogPosition position, in BatchRow row, Span<byte> record, out string? fault)
    {
        var start = StartOf(position, row);
        var slot = _slots[(int)((start.Value / 8) % SlotCount)];
        lock (slot)
        {
            return TryLoad(slot, start, out fault) && TryCopy(slot, position, record, out fault);
        }
    }

    /// <summary>
    /// The records of messages whose rows lie side by side in one batch; how many there are up to the first that cannot be read.
    /// </summary>
    public int ReadRun(
        IReadOnlyList<GrantedMessage> entries, int first, int count, in BatchRow row, Span<byte> destination, out string? fault)
    {
        var start = StartOf(entries[first].Position, row);
        var slot = _slots[(int)((start.Value / 8) % SlotCount)];
        lock (slot)
        {
            if (!TryLoad(slot, start, out fault))
            {
                return 0;
            }

            for (int i = 0, at = 0; i < count; i++)
            {
                var entry = entries[first + i];
                if (!TryCopy(slot, entry.Position, destination.Slice(at, entry.Size), out fault))
                {
                    return i;
                }

                at += entry.Size;
            }

            return count;
        }
    }

    private static bool TryCopy(Slot slot, LogPosition position, Span<byte> record, out string? fault)
    {
        var distance = position - slot.Start - BatchTable.RowsDistance;
        var index = distance / BatchRow.Bytes;
        if (distance < 0 || distance % BatchRow.Bytes != 0 || index >= slot.Table.Count)
        {
            fault = $"the batch at {slot.Start} has no message at {position}";
            return false;
        }

        var row = slot.Table.Row(slot.Rows, (int)index);
        if (row.Length != record.Length || row.Start < 0 || row.Start > slot.Table.UncompressedSize - row.Length)
        {
            fault = $"message {index} of the batch at {slot.Start} has {row.Length} bytes, not {record.Length}";
            return false;
        }

        slot.Records.AsSpan(row.Start, row.Length).CopyTo(record);
        RecordView.Seal(record, position, slot.StoreTime);
        fault = null;
        return true;
    }

    private bool TryLoad(Slot slot, LogPosition start, out string? fault)
    {
        fault = null;
        if (slot.Start == start && slot.Table.Count > 0)
        {
            return true;
        }

        if (!reader.TryReadBatch(start, out var bytes, out fault))
        {
            return false;
        }

        slot.Table = default;
        RecordView.TryParseUnchecked(bytes.Span, out var record, out _);
        var body = record.Body;
        if (!BatchTable.TryParse(body, out var table) || table.UncompressedSize > Limits.BatchRecordBytesMax)
        {
            bytes.Return();
            fault = $"the batch at {start} has a table that does not fit it";
            return false;
        }

        slot.Fit(table);
        body[..slot.Rows.Length].CopyTo(slot.Rows);
        var isWhole = CompressionCodec.TryDecompress(
            table.Compression, table.Block(body), slot.Records.AsSpan(0, table.UncompressedSize));
        slot.StoreTime = record.StoreTime;
        bytes.Return();
        if (!isWhole)
        {
            fault = $"the batch at {start} cannot be unpacked";
            return false;
        }

        slot.Start = start;
        slot.Table = table;
        return true;
    }

    private sealed class Slot
    {
        /// <summary>Nothing is held while it has no message.</summary>
        public BatchTable Table { get; set; }

        public LogPosition Start { get; set; }

        public long StoreTime { get; set; }

        /// <summary>The table's fixed part and its rows.</summary>
        public byte[] Rows { get; private set; } = [];

        /// <summary>Unpacked; longer than they are.</summary>
        public byte[] Records { get; private set; } = [];

        public void Fit(in BatchTable table)
        {
            Rows = new byte[BatchTable.Size + (table.Count * BatchRow.Bytes)];
            if (Records.Length < table.UncompressedSize)
            {
                Records = GC.AllocateUninitializedArray<byte>(
                    Math.Max(table.UncompressedSize, Math.Min(Limits.BatchRecordBytesMax, Records.Length * 2)));
            }
        }
    }
}
