using Dledger.ClusterSimulation.Nodes;
using Dledger.Storage.Frames;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>
/// At the end of a run: every committed frame lies on every node byte for byte, chained and in order (I9, I10). Only where the
/// disk was damaged may it be unreadable still, never different (I33).
/// </summary>
internal sealed class LogComparison(SimulatedCluster cluster)
{
    private readonly Dictionary<LogPosition, byte[]> _frames = [];

    /// <summary>Where a frame of the sealed log is still damaged, or null.</summary>
    public string? FindUnmended(IReadOnlyList<SimulatedNode> nodes)
    {
        foreach (var node in nodes)
        {
            foreach (var (position, end, _) in cluster.Oracle.Frames)
            {
                if (position >= cluster.Oracle.LogStart && end < SealedEnd(node) && ReadFrame(node, position, end) is null)
                {
                    return $"node {node.Id} at {position}";
                }
            }
        }

        return null;
    }

    public void Check(SimulatedNode node, bool mayBeDamaged)
    {
        var seed = Seed(node);
        var tail = ChainTail.Genesis(seed);
        foreach (var (position, end, headerCrc) in cluster.Oracle.Frames)
        {
            if (position < cluster.Oracle.LogStart)
            {
                continue;
            }

            var bytes = ReadFrame(node, position, end);
            cluster.Checks.Check(
                "I33", bytes is not null || mayBeDamaged, $"node {node.Id} has no valid frame at {position}");
            if (bytes is null)
            {
                continue;
            }

            _ = FrameReader.TryReadAlone(bytes, position, seed, bytes.Length, out var frame, out _);
            cluster.Checks.Check(
                "I10",
                tail.End != position || frame.Header.FindChainFault(tail) is null,
                $"node {node.Id}: the frame at {position} does not continue the one before");
            tail = frame.Tail;
            var isSame = frame.Header.HeaderCrc == headerCrc
                && (!_frames.TryGetValue(position, out var first) || bytes.AsSpan().SequenceEqual(first));
            _frames.TryAdd(position, bytes);
            cluster.Checks.Check("I9", isSame, $"node {node.Id} has other bytes at {position} than were committed");
        }
    }

    private static ClusterSeed Seed(SimulatedNode node) =>
        ClusterSeed.Of(node.Replication!.ClusterId, node.Replication.Group);

    // Rot in the segment that is still written is found by its readers and by the next start.
    private LogPosition SealedEnd(SimulatedNode node) => new(node.Replication!.Status.End.Value - cluster.Scenario.Log.SegmentBytes);

    private static byte[]? ReadFrame(SimulatedNode node, LogPosition position, LogPosition end)
    {
        var bytes = new byte[end - position];
        return node.Replication!.Read(position, bytes) == bytes.Length
            && FrameReader.TryReadAlone(bytes, position, Seed(node), bytes.Length, out var frame, out _)
            && frame.Header.End == end
                ? bytes
                : null;
    }
}
