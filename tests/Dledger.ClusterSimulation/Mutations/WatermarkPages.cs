using Dledger.Storage.Frames;
using Dledger.Storage.Logs;

namespace Dledger.ClusterSimulation.Mutations;

/// <summary>Reads and changes the watermark slots of header pages on their way to or from the disk.</summary>
internal static class WatermarkPages
{
    private const int FirstSlotOffset = 1024;
    private const int SlotDistance = 1024;

    /// <summary>Whether a write is one slot alone.</summary>
    public static bool IsSlot(long offset, int length) =>
        length == WatermarkSlot.Bytes && offset is FirstSlotOffset or FirstSlotOffset + SlotDistance;

    /// <summary>The watermark that a slot's bytes claim.</summary>
    public static long WatermarkOf(ReadOnlySpan<byte> slot) => BitConverter.ToInt64(slot[8..]);

    /// <summary>The valid slots of a header page, each looked at by itself.</summary>
    public static List<WatermarkSlot> Read(ReadOnlySpan<byte> page, ClusterSeed seed)
    {
        var slots = new List<WatermarkSlot>();
        for (var offset = FirstSlotOffset; offset <= FirstSlotOffset + SlotDistance; offset += SlotDistance)
        {
            if (ReadAt(page, offset, seed) is { } found)
            {
                slots.Add(found);
            }
        }

        return slots;
    }

    /// <summary>Changes the valid slots of a header page.</summary>
    public static void Rewrite(Span<byte> page, Func<WatermarkSlot, WatermarkSlot> change)
    {
        if (SegmentHeader.Parse(page, out var header, out _) != SegmentHeaderState.Valid)
        {
            return;
        }

        var seed = ClusterSeed.Of(header.ClusterId, RaftGroupId.First);
        for (var offset = FirstSlotOffset; offset <= FirstSlotOffset + SlotDistance; offset += SlotDistance)
        {
            if (ReadAt(page, offset, seed) is { } found)
            {
                change(found).Write(page.Slice(offset, WatermarkSlot.Bytes), seed);
            }
        }
    }

    private static WatermarkSlot? ReadAt(ReadOnlySpan<byte> page, int offset, ClusterSeed seed)
    {
        Span<byte> alone = stackalloc byte[FirstSlotOffset + (2 * SlotDistance)];
        alone.Clear();
        page.Slice(offset, WatermarkSlot.Bytes).CopyTo(alone[FirstSlotOffset..]);
        return WatermarkSlot.FindNewest(alone, seed);
    }
}
