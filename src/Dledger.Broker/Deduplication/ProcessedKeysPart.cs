using Dledger.Broker.Commands;
using Dledger.Broker.StateMachine;
using Dledger.Primitives;

namespace Dledger.Broker.Deduplication;

/// <summary>The part of a checkpoint with the keys of groups. Layout: Checkpoints/FORMAT.md.</summary>
internal static class ProcessedKeysPart
{
    public const string Name = "processed";

    private const byte FormatVersion = 1;
    private const int KeyBytes = 24;
    private const int HeldBytes = 32;

    public static ReadOnlyMemory<byte> Write(BrokerState state)
    {
        var groups = state.Groups.All.Where(group => !group.Processed.IsEmpty).ToArray();
        var writer = new ByteWriter(64 + (KeyBytes * groups.Sum(group => group.Processed.Count)));
        writer.Byte(FormatVersion);
        writer.Int32(groups.Length);
        foreach (var group in groups)
        {
            writer.Int32(group.View.Id);
            writer.Int64(group.Processed.RepeatCount);
            writer.Int32(group.Processed.Count);
            foreach (var (key, at) in group.Processed.All)
            {
                writer.UInt128(key);
                writer.Int64(at);
            }

            writer.Int32(group.Processed.Held.Count);
            foreach (var (place, key) in group.Processed.Held)
            {
                writer.Int32(place.TopicId);
                writer.Int32(place.QueueId);
                writer.Int64(place.Offset);
                writer.UInt128(key);
            }
        }

        return writer.Written;
    }

    public static void Read(byte[] part, BrokerState state)
    {
        var reader = new ByteReader(part);
        reader.Version(FormatVersion);
        for (var groups = reader.Count(20); groups > 0; groups--)
        {
            var id = reader.Int32();
            var group = state.Groups.Find(id);
            Invariant.Check(group is not null, $"group {id}, whose keys are stored, exists");
            group.Processed.Restore(reader.Int64());
            for (var left = reader.Count(KeyBytes); left > 0; left--)
            {
                group.Processed.Add(reader.UInt128(), reader.Int64());
            }

            for (var left = reader.Count(HeldBytes); left > 0; left--)
            {
                var place = new DedupPlace(reader.Int32(), reader.Int32(), reader.Int64());
                group.Processed.Hold(place, reader.UInt128());
            }
        }

        reader.End();
    }
}
