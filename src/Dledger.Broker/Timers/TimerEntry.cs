using Dledger.Primitives;
using Dledger.Storage.Queues;

namespace Dledger.Broker.Timers;

/// <summary>A message that waits for its delivery time.</summary>
/// <remarks>
/// In a run it is one slot of an index, 20 bytes:
///   0              8                             12                               20
///   | log position | size / 8, bits 20..27: topic id >> 24 | tick &lt;&lt; 24, bits 0..23: topic id |
/// </remarks>
internal readonly record struct TimerEntry(TimerKey Key, int Size, int TopicId)
{
    private const int TopicBits = 24;
    private const int SizeBits = 20;

    /// <summary>64 bits of it; the sum over all pending messages stands for their set.</summary>
    public ulong Hash
    {
        get
        {
            var mixed = Mix((ulong)Key.Tick ^ 0x9e37_79b9_7f4a_7c15);
            mixed = Mix(mixed ^ (ulong)Key.Position);
            return Mix(mixed ^ ((ulong)(uint)Size << 32) ^ (uint)TopicId);
        }
    }

    /// <summary>The entry of a slot.</summary>
    public static TimerEntry Of(in ConsumeQueueEntry slot) => new(
        new TimerKey((long)((ulong)slot.TagHash >> TopicBits), slot.Position.Value),
        (slot.Size & ((1 << SizeBits) - 1)) * 8,
        (int)((slot.TagHash & ((1 << TopicBits) - 1)) | ((long)(slot.Size >> SizeBits) << TopicBits)));

    /// <summary>The slot of the entry.</summary>
    public ConsumeQueueEntry ToSlot()
    {
        Invariant.Check(Size > 0 && Size % 8 == 0 && Size / 8 < 1 << SizeBits, $"a record has {Size} bytes");
        return new ConsumeQueueEntry(
            new LogPosition(Key.Position),
            (Size / 8) | ((TopicId >> TopicBits) << SizeBits),
            (Key.Tick << TopicBits) | (long)(TopicId & ((1 << TopicBits) - 1)));
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xbf58_476d_1ce4_e5b9;
        value = (value ^ (value >> 27)) * 0x94d0_49bb_1331_11eb;
        return value ^ (value >> 31);
    }
}
