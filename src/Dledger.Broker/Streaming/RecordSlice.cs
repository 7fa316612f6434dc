using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Streaming;

/// <summary>Verified records of the log, back to back, and which messages they are. Used again and again by one reader.</summary>
public sealed class RecordSlice
{
    private const int CapacityMin = 64 << 10;

    private readonly List<RecordPlace> _places = [];
    private readonly List<SlicePart> _parts = [];
    private byte[] _bytes = [];

    /// <summary>What whole batches may stay compressed with; nothing: all records are plain.</summary>
    public IReadOnlyList<Compression> Unpacks { get; init; } = [];

    /// <summary>The records; valid until the slice is filled again.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, Length);

    public int Length { get; private set; }

    /// <summary>One for each record, in order.</summary>
    public IReadOnlyList<RecordPlace> Places => _places;

    /// <summary>How they go together, in order.</summary>
    public IReadOnlyList<SlicePart> Parts => _parts;

    /// <summary>Empties it.</summary>
    public void Clear()
    {
        _places.Clear();
        _parts.Clear();
        Length = 0;
    }

    /// <summary>Adds a message that was delivered.</summary>
    public void Add(DeliveredMessage message)
    {
        var record = message.Record;
        Reserve(record.Length);
        record.CopyTo(_bytes.AsMemory(Length));
        AddPlain(new RecordPlace(message.QueueId, message.QueueOffset, message.Position, message.Attempt), record.Length);
    }

    /// <summary>Adds messages that were delivered as the batch that they are.</summary>
    internal void Add(in PackedBatch batch, IReadOnlyList<DeliveredMessage> messages, int first)
    {
        AddPart(batch);
        for (var i = first; i < first + batch.Table.Count; i++)
        {
            var message = messages[i];
            _places.Add(new RecordPlace(message.QueueId, message.QueueOffset, message.Position, message.Attempt));
        }
    }

    /// <summary>
    /// Whether entries from one of them on are the beginning of a batch and no more: read with the rest of it, it may stay as it is.
    /// </summary>
    internal bool IsCutOff(RecordReader records, IReadOnlyList<GrantedMessage> entries, int first)
    {
        var count = Unpacks.Count == 0 ? 0 : CountRows(entries, first);
        return count > 1 && first + count == entries.Count && records.CountOfBatch(entries[first].Position) > count;
    }

    /// <summary>
    /// Reads the records of entries that lie side by side in the log, or in a batch, from one of them on, at once; how many, at least 1. 0: the first of
    /// them cannot be read, and <paramref name="fault"/> says why.
    /// </summary>
    internal int Read(
        RecordReader records, IReadOnlyList<GrantedMessage> entries, int first, int bytesMax, out string? fault)
    {
        if (bytesMax > 0 && TryReadWhole(records, entries, first, out var whole))
        {
            fault = null;
            return whole;
        }

        var bytes = entries[first].Size;
        var count = 1;
        while (first + count < entries.Count
            && AreSideBySide(entries[first].Position, entries[first + count].Position, bytes, count)
            && bytes + entries[first + count].Size <= bytesMax)
        {
            bytes += entries[first + count].Size;
            count++;
        }

        Reserve(bytes);
        var read = records.ReadRun(entries, first, count, _bytes.AsSpan(Length, bytes), out fault);
        for (var i = first; i < first + read; i++)
        {
            AddPlain(PlaceOf(entries[i]), entries[i].Size);
        }

        return read;
    }

    /// <summary>Takes back the last record.</summary>
    internal void RemoveLast(int size)
    {
        var part = _parts[^1];
        _parts.RemoveAt(_parts.Count - 1);
        if (part.PlaceCount > 1)
        {
            _parts.Add(part with { PlaceCount = part.PlaceCount - 1, Length = part.Length - size });
        }

        _places.RemoveAt(_places.Count - 1);
        Length -= size;
    }

    /// <summary>How many messages from one on have their rows side by side in a batch; 1 where that cannot be told.</summary>
    internal static int CountRows(IReadOnlyList<GrantedMessage> entries, int first)
    {
        var count = 1;
        while (first + count < entries.Count
            && entries[first + count].QueueId == entries[first].QueueId
            && entries[first + count].Position == entries[first].Position + (count * BatchRow.Bytes))
        {
            count++;
        }

        return count;
    }

    private static RecordPlace PlaceOf(in GrantedMessage entry) =>
        new(entry.QueueId, new QueueOffset(entry.Offset), entry.Position, entry.Attempt);

    private bool TryReadWhole(RecordReader records, IReadOnlyList<GrantedMessage> entries, int first, out int count)
    {
        count = Unpacks.Count == 0 ? 0 : CountRows(entries, first);
        if (count <= 1 || !records.TryReadWhole(entries[first].Position, count, Unpacks, out var batch))
        {
            return false;
        }

        AddPart(batch);
        batch.Return();
        for (var i = first; i < first + count; i++)
        {
            _places.Add(PlaceOf(entries[i]));
        }

        return true;
    }

    private void AddPlain(in RecordPlace place, int length)
    {
        if (_parts.Count > 0 && _parts[^1].Compression == Compression.None)
        {
            _parts[^1] = _parts[^1] with { PlaceCount = _parts[^1].PlaceCount + 1, Length = _parts[^1].Length + length };
        }
        else
        {
            _parts.Add(new SlicePart(_places.Count, 1, Length, length));
        }

        _places.Add(place);
        Length += length;
    }

    private void AddPart(in PackedBatch batch)
    {
        var table = batch.Table;
        var block = batch.Block;
        Reserve(block.Length);
        block.CopyTo(_bytes.AsSpan(Length));
        _parts.Add(new SlicePart(
            _places.Count, table.Count, Length, block.Length, table.Compression, table.UncompressedSize, batch.StoreTime));
        Length += block.Length;
    }

    // Positions that are as far apart as rows are those of a batch: no record is as short as that.
    private static bool AreSideBySide(LogPosition first, LogPosition next, int bytes, int count) =>
        next == first + bytes || next == first + (count * BatchRow.Bytes);

    private void Reserve(int bytes)
    {
        if (_bytes.Length - Length < bytes)
        {
            var larger = GC.AllocateUninitializedArray<byte>(Math.Max(Math.Max(CapacityMin, Length + bytes), _bytes.Length * 2));
            _bytes.AsSpan(0, Length).CopyTo(larger);
            _bytes = larger;
        }
    }
}
