using System.Text;
using Dledger.Broker.Streaming;
using Dledger.Storage.Records;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>Records as clients of streams are given them: back to back, sealed for their place, the committed ones byte by byte.</summary>
internal static class RecordCheck
{
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
