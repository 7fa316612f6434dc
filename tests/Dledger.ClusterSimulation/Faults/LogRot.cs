using Dledger.ClusterSimulation.Mutations;
using Dledger.ClusterSimulation.Nodes;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;

namespace Dledger.ClusterSimulation.Faults;

/// <summary>
/// Committed bytes of a log change by themselves, below the durable watermark and on the disks of a minority of the nodes: what
/// the cluster must always survive (I33, I34).
/// </summary>
internal sealed class LogRot(SimulatedCluster cluster, CopyBudget budget)
{
    private const int SectorBytes = 512;

    private readonly HashSet<(NodeId Node, LogPosition Frame)> _hitFrames = [];

    /// <summary>Whether this node's disk was ever damaged.</summary>
    public bool HasHit(SimulatedNode node) => budget.IsDamaged(node.Id);

    public void Damage(SimulatedNode chosen)
    {
        var node = budget.IsDamaged(chosen.Id) || !budget.Damaged.Any() || cluster.Random.Chance(0.5)
            ? chosen
            : cluster.Nodes[budget.Damaged.First().Value - 1];
        var disk = node.Disk.Disk;
        if (Choose(disk, isSealed: false) is not var (path, segmentBase, length))
        {
            return;
        }

        var from = (long)CommitLogOptions.SegmentHeaderBytes;
        var to = from + length;
        var offset = cluster.Random.Next(from, to);
        if (!budget.TryDamage(node) || !IsFirstHit(node, segmentBase + (offset - from)))
        {
            return;
        }

        cluster.Marks.Reach("log damaged below the watermark");
        switch (cluster.Random.Next(3))
        {
            case 0:
                disk.Corrupt(path, offset, (byte)(1 << cluster.Random.Next(8)));
                break;
            case 1:
                disk.Overwrite(path, offset, new byte[Math.Min(SectorBytes, to - offset)]);
                break;
            default:
                var astray = new byte[Math.Min(SectorBytes, to - offset)];
                (disk.ReadDurable(path) ?? []).Skip((int)from).Take(astray.Length).ToArray().CopyTo(astray, 0);
                disk.Overwrite(path, offset, astray);
                break;
        }

        cluster.Trace.Line(node, $"{path} rots at {offset}");
    }

    /// <summary>
    /// The disk gives an error for some sectors of a sealed segment, for a while: whoever reads them next meets it, be it for
    /// a receive, for a peer that catches up, or at a start.
    /// </summary>
    public void FailReads(SimulatedNode node)
    {
        if (Choose(node.Disk.Disk, isSealed: true) is not var (path, _, length) || !budget.TryDamage(node))
        {
            return;
        }

        cluster.Marks.Reach("place of the log unreadable");
        var from = CommitLogOptions.SegmentHeaderBytes + cluster.Random.Next(0, length);
        var bytes = cluster.Random.NextLogarithmic(1, 8 * SectorBytes);
        var duration = cluster.Random.NextLogarithmic(10_000, 8 * cluster.Scenario.ElectionTimeout);
        node.Disk.FailReads(path, from, bytes, duration);
        cluster.Trace.Line(node, $"{path} cannot be read at {from} for {duration / 1000} ms");
    }

    // A place that rots again after it was mended is a broken disk, which a node does not try to mend for ever: an operator has to
    // replace it. No run has that.
    private bool IsFirstHit(SimulatedNode node, LogPosition position)
    {
        var end = position + SectorBytes;
        var frames = cluster.Oracle.Frames.Where(frame => frame.Base < end && frame.End > position).ToList();
        var isFirst = frames.TrueForAll(frame => !_hitFrames.Contains((node.Id, frame.Base)));
        frames.ForEach(frame => _hitFrames.Add((node.Id, frame.Base)));
        return isFirst;
    }

    // The part of a segment that holds committed frames below the watermark. The newest slot may not be durable yet, so
    // the one before it counts too.
    private (string Path, LogPosition Base, long Length)? Choose(IDisk disk, bool isSealed)
    {
        var segments = new List<(string Path, SegmentHeader Header)>();
        var slots = new List<WatermarkSlot>();
        foreach (var name in disk.Exists("log") ? disk.List("log") : [])
        {
            var path = $"log/{name}";
            var page = new byte[CommitLogOptions.SegmentHeaderBytes];
            using var file = disk.Open(path, DiskOpenMode.Read);
            if (file.Read(0, page) == page.Length
                && SegmentHeader.Parse(page, out var header, out _) == SegmentHeaderState.Valid)
            {
                segments.Add((path, header));
                slots.AddRange(WatermarkPages.Read(page, ClusterSeed.Of(header.ClusterId, RaftGroupId.First)));
            }
        }

        if (slots.Count < 2)
        {
            return null;
        }

        var end = slots.OrderByDescending(slot => slot.Sequence).Take(2).Min(slot => slot.Watermark);
        end = LogPosition.Min(end, cluster.Oracle.End);
        segments.RemoveAll(segment => segment.Header.Base >= end);
        if (segments.Count == 0)
        {
            return null;
        }

        segments.Sort((left, right) => left.Header.Base.CompareTo(right.Header.Base));
        var count = segments.Count - (isSealed ? 1 : 0);
        if (count == 0)
        {
            return null;
        }

        var chosen = cluster.Random.Next(count);
        var segmentBase = segments[chosen].Header.Base;
        var limit = chosen + 1 < segments.Count ? segments[chosen + 1].Header.Base : end;
        return (segments[chosen].Path, segmentBase, limit - segmentBase);
    }
}
