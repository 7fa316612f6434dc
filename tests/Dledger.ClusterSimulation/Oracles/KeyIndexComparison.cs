using System.Globalization;
using System.Text;
using Dledger.Broker.Lookups;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Scenarios;
using Dledger.Storage.Keys;
using Dledger.Storage.Records;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>The key indexes of the nodes beside their queues and what producers were told (I58, I59).</summary>
internal sealed class KeyIndexComparison(SimulatedCluster cluster)
{
    private const int KeyCount = 7;

    /// <summary>The business keys of a message.</summary>
    public static IReadOnlyList<string> KeysOf(string id) =>
        [id, $"k{int.Parse(id.AsSpan(1), CultureInfo.InvariantCulture) % KeyCount}"];

    /// <summary>Nothing of the scenario makes an index wait for a checkpoint that may never come.</summary>
    public static bool MustBeComplete(Scenario scenario) =>
        !scenario.HasFullDisks && !scenario.HasDiskErrors && !scenario.MayDamageLogs && !scenario.ChangesMembers
        && !scenario.HealsBareMajority && scenario.RetentionBytes == 0;

    /// <summary>A part that the index of some node does not cover; null when there is none.</summary>
    public string? FindGap(IReadOnlyList<SimulatedNode> alive)
    {
        foreach (var node in alive)
        {
            if (KeysOf(node) is not { } keys)
            {
                return $"node {node.Id} has no index";
            }

            if (keys.Search(0, cluster.Oracle.LogStart, cluster.Oracle.End).Gaps is [var gap, ..])
            {
                return $"node {node.Id} does not cover {gap}";
            }
        }

        return null;
    }

    public void Check(SimulatedNode node)
    {
        if (KeysOf(node) is not { } keys)
        {
            return;
        }

        foreach (var topic in node.Broker!.Machine.State.Topics.All)
        {
            foreach (var queue in topic.Queues)
            {
                Check(node, keys, topic, queue);
            }
        }

        foreach (var (message, answer) in cluster.Producing.Acked.Where(acked => !cluster.Oracle.IsGone(acked.Message)))
        {
            Check(node, keys, message.TopicId, message.Id, answer.Position);
            Check(node, keys, message.TopicId, KeysOf(message.Id)[1], answer.Position);
        }
    }

    private void Check(SimulatedNode node, KeyIndex keys, TopicState topic, QueueState queue)
    {
        for (var offset = queue.Min; offset < queue.Max; offset++)
        {
            var entry = queue.Read(offset);
            var bytes = new byte[entry.Size];
            var count = node.Replication!.Read(entry.Position, bytes);
            if (BatchRow.IsAt(bytes.AsSpan(0, count)) && cluster.Oracle.FindAt(entry.Position) is { } packed)
            {
                Check(node, keys, topic.Id, packed.Id, entry.Position);
            }
            else if (count == bytes.Length && RecordView.TryParseSealed(bytes, entry.Position, out var record, out _))
            {
                Check(node, keys, topic.Id, Encoding.UTF8.GetString(record.Key), entry.Position);
            }
        }
    }

    private void Check(SimulatedNode node, KeyIndex keys, int topicId, string key, LogPosition position)
    {
        var search = keys.Search(MessageKeys.HashOf(topicId, key), cluster.Oracle.LogStart, cluster.Oracle.End);
        var isFound = search.Positions.Contains(position);
        if (isFound)
        {
            cluster.Marks.Reach("message found by key");
        }

        cluster.Checks.Check(
            "I60",
            isFound || search.Gaps.Any(gap => gap.Start <= position && position < gap.End),
            $"node {node.Id}: '{key}' of topic {topicId} is at {position}, the index finds {search.Positions.Count} others");
    }

    private static KeyIndex? KeysOf(SimulatedNode node) => node.Broker?.Machine.Index?.Keys;
}
