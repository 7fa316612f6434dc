using System.Text;
using Dledger.Broker.Streaming;
using Dledger.Storage.Records;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>Records as clients of streams are given them: back to back, sealed for their place, the committed ones byte by byte.</summary>
internal static class RecordCheck
{
    /// <summary>All records of a slice as they come plain: batches that stayed compressed are unpacked, and sealed for their places.</summary>
    public static ReadOnlySpan<byte> Unfold(SimulatedCluster cluster, string name, RecordSlice slice)
    {
        var all = new List<byte>();
        foreach (var part in slice.Parts)
        {
            var bytes = slice.Bytes.Slice(part.Start, part.Length).ToArray();
            all.AddRange(part.Compression == Compression.None ? bytes : Unpack(cluster, name, slice, part, bytes));
        }

        return all.ToArray();
    }

    private static byte[] Unpack(SimulatedCluster cluster, string name, RecordSlice slice, SlicePart part, byte[] block)
    {
        cluster.Marks.Reach("batch delivered as it was compressed");
        var records = new byte[part.UncompressedSize];
        cluster.Checks.Check(
            name,
            slice.Unpacks.Contains(part.Compression) && CompressionCodec.TryDecompress(part.Compression, block, records),
            $"{part} can be unpacked by who asked for it");
        var at = 0;
        for (var i = part.FirstPlace; i < part.FirstPlace + part.PlaceCount; i++)
        {
            cluster.Checks.Check(
                name, RecordView.TryParse(records.AsSpan(at), out var record, out var fault), $"the record of {slice.Places[i]}: {fault}");
            RecordView.Seal(records.AsSpan(at, record.Length), slice.Places[i].Position, part.StoreTimeMicroseconds);
            at += record.Length;
        }

        cluster.Checks.Check(name, at == records.Length, $"{records.Length - at} bytes follow the records of {part}");
        return records;
    }

    /// <summary>Looks at the next record and goes behind it.</summary>
    public static void Take(SimulatedCluster cluster, string name, int topicId, in RecordPlace place, ref ReadOnlySpan<byte> rest)
    {
        var stored = cluster.Oracle.FindIn(topicId, place.QueueId, place.Offset.Value);
        var isWhole = RecordView.TryParseSealed(rest, place.Position, out var record, out var fault);
        cluster.Checks.Check(name, isWhole, $"the record of {place} came damaged: {fault}");
        cluster.Checks.Check(
            name,
            stored is not null && stored.Position == place.Position && stored.Size == record.Length
                && record.TopicId == topicId && record.QueueId == place.QueueId
                && stored.Id == Encoding.UTF8.GetString(record.Key) && record.Body.SequenceEqual(stored.Body),
            $"{place} is given, committed there is {stored?.ToString() ?? "nothing"}");
        rest = rest[record.Length..];
    }
}
