using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Proposals;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Timers;

/// <summary>Pending messages whose records are read and copied together, beside the apply loop.</summary>
/// <remarks>Owned by the apply loop, but from <see cref="Begin"/> until it has told that it is done by the reading.</remarks>
internal sealed class TimerBatch(long epoch, RecordKind kind, int bytesMax, TopicDirectory topics)
{
    /// <summary>Most messages: as many small ones as fit a proposal of some size.</summary>
    public const int CountMax = 1_024;

    private byte[] _records = [];
    private int _bytes;

    /// <summary>Tells results of an earlier leadership apart.</summary>
    public long Epoch => epoch;

    /// <summary>What is made of them: TimerFire or Relocate.</summary>
    public RecordKind Kind => kind;

    /// <summary>What is copied.</summary>
    public List<TimerEntry> Entries { get; } = [];

    /// <summary>Of topics that were deleted: they go without a copy.</summary>
    public List<TimerKey> Gone { get; } = [];

    /// <summary>Those of <see cref="Entries"/> whose records could not be read.</summary>
    public List<TimerEntry> Unreadable { get; } = [];

    /// <summary>The copies, and a cancellation of what is gone.</summary>
    public ReadOnlyMemory<byte> Records => _records;

    public int RecordCount { get; private set; }

    public bool IsEmpty => Entries.Count == 0 && Gone.Count == 0;

    /// <summary>All that it is about.</summary>
    public IEnumerable<TimerKey> Keys => Entries.Select(static entry => entry.Key).Concat(Gone);

    /// <summary>Whether another one fits; the first one always does.</summary>
    public bool HasRoomFor(in TimerEntry entry)
    {
        if (_bytes > 0 && _bytes + entry.Size > bytesMax)
        {
            return false;
        }

        _bytes += entry.Size;
        return true;
    }

    /// <summary>Reads and copies; never on the calling loop.</summary>
    /// <param name="records">Reads them.</param>
    /// <param name="done">Called at the end, on the thread that read.</param>
    public void Begin(RecordReader records, Action done) => _ = BeginAsync(records, done);

    private async Task BeginAsync(RecordReader records, Action done)
    {
        // Goes on with the thread pool, or, where one thread does everything, when the loop's turn is over.
        await Task.Yield();

        // They were stored long ago, each at another time: from a device one by one they would be late.
        foreach (var entry in Entries)
        {
            records.Prefetch(new LogPosition(entry.Key.Position), entry.Size);
        }

        var copies = new List<byte[]>(Entries.Count + 1);
        var bytes = 0;
        foreach (var entry in Entries)
        {
            if (Copy(records, entry) is { } copy)
            {
                copies.Add(copy);
                bytes += copy.Length;
            }
            else
            {
                Unreadable.Add(entry);
            }
        }

        if (Gone.Count > 0)
        {
            var cancel = ControlRecord.Encode(RecordKind.TimerCancel, new TimerCancelCommand(Gone).Encode());
            copies.Add(cancel);
            bytes += cancel.Length;
        }

        _records = GC.AllocateUninitializedArray<byte>(bytes);
        var at = 0;
        foreach (var copy in copies)
        {
            copy.CopyTo(_records, at);
            at += copy.Length;
        }

        RecordCount = copies.Count;
        done();
    }

    private byte[]? Copy(RecordReader records, in TimerEntry entry)
    {
        if (records.Read(new LogPosition(entry.Key.Position), entry.Size) is not { } bytes)
        {
            return null;
        }

        RecordView.TryParseUnchecked(bytes, out var record, out _);
        return kind == RecordKind.TimerFire
            ? TimerCopies.Fire(record, entry.Key, topics)
            : TimerCopies.Relocate(record, entry.Key);
    }
}
