using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Primitives;

namespace Dledger.Broker.Streaming;

/// <summary>Verified records of the log, back to back, and which messages they are. Used again and again by one reader.</summary>
public sealed class RecordSlice
{
    private const int CapacityMin = 64 << 10;

    private readonly List<RecordPlace> _places = [];
    private byte[] _bytes = [];

    /// <summary>The records; valid until the slice is filled again.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, Length);

    public int Length { get; private set; }

    /// <summary>One for each record, in order.</summary>
    public IReadOnlyList<RecordPlace> Places => _places;

    /// <summary>Empties it.</summary>
    public void Clear()
    {
        _places.Clear();
        Length = 0;
    }

    /// <summary>Adds a message that was delivered.</summary>
    public void Add(DeliveredMessage message)
    {
        var record = message.Record;
        Reserve(record.Length);
        record.CopyTo(_bytes.AsMemory(Length));
        _places.Add(new RecordPlace(message.QueueId, message.QueueOffset, message.Position, message.Attempt));
        Length += record.Length;
    }

    /// <summary>
    /// Reads the records of entries that lie side by side in the log, from one of them on, at once; how many, at least 1. 0: the first of
    /// them cannot be read, and <paramref name="fault"/> says why.
    /// </summary>
    internal int Read(
        RecordReader records, IReadOnlyList<GrantedMessage> entries, int first, int bytesMax, out string? fault)
    {
        var bytes = entries[first].Size;
        var count = 1;
        while (first + count < entries.Count
            && entries[first + count].Position == entries[first].Position + bytes
            && bytes + entries[first + count].Size <= bytesMax)
        {
            bytes += entries[first + count].Size;
            count++;
        }

        Reserve(bytes);
        var read = records.ReadRun(entries, first, count, _bytes.AsSpan(Length, bytes), out fault);
        for (var i = first; i < first + read; i++)
        {
            var entry = entries[i];
            _places.Add(new RecordPlace(entry.QueueId, new QueueOffset(entry.Offset), entry.Position, entry.Attempt));
            Length += entry.Size;
        }

        return read;
    }

    /// <summary>Takes back the last record.</summary>
    internal void RemoveLast(int size)
    {
        _places.RemoveAt(_places.Count - 1);
        Length -= size;
    }

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
