using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Messages;
using Dledger.Simulation.Nodes;

namespace Dledger.Simulation.Invariants;

/// <summary>I9 to I17: what must hold of the frames of all logs.</summary>
internal sealed class LogChecks(Checks checks)
{
    private readonly Dictionary<(Term Term, LogPosition End), ulong> _prefixes = [];

    public void Appended(SimulatedNode node, in SimulatedFrame frame)
    {
        var isFirst = _prefixes.TryAdd((frame.Term, frame.End), frame.PrefixHash);
        checks.Check(
            "I9",
            isFirst || _prefixes[(frame.Term, frame.End)] == frame.PrefixHash,
            $"node {node.Id} has another log before the frame of term {frame.Term} that ends at {frame.End}");
    }

    public void Truncating(SimulatedNode node, LogPosition commit, LogPosition position)
    {
        var core = node.Core!;
        checks.Check("I7", core.Role != RaftRole.Leader, $"leader {node.Id} cuts its log at {position}");
        checks.Check("I13", position >= commit, $"node {node.Id} cuts at {position}, its commit is {commit}");
        var first = node.Log.CountBefore(position);
        if (first < node.Log.Frames.Count)
        {
            // A paused node may still obey a leader of term 5 when term 6 has committed an older tail that it also had:
            // it gets that tail back. What term 5 itself could know as committed is never cut.
            var frame = node.Log.Frames[first];
            checks.Check(
                "I13",
                !checks.Commits.IsCommittedBy(frame, core.Term),
                $"node {node.Id} cuts the committed frame at {frame.Summary.Base} of term {frame.Term}");
        }
    }

    public void EpochsOf(SimulatedNode node)
    {
        var scanned = node.Log.ScanEpochs();
        checks.Check(
            "I11",
            scanned.Epochs.SequenceEqual(node.Core!.Epochs.Epochs),
            $"node {node.Id} has epochs {string.Join(" ", node.Core.Epochs.Epochs)}, a scan {string.Join(" ", scanned.Epochs)}");
    }

    public void Acknowledged(SimulatedNode node, AppendReply reply)
    {
        checks.Check(
            "I17",
            reply.Durable <= node.Disk.DurableEnd,
            $"node {node.Id} acknowledges {reply.Durable}, its disk ends at {node.Disk.DurableEnd}");
        var leader = node.Cluster.Find(checks.Elections.LeaderOf(reply.Term));
        if (leader?.Core is { Role: RaftRole.Leader } core && core.Term == reply.Term)
        {
            checks.Check(
                "I17",
                node.Log.PrefixHashAt(reply.Durable) is { } hash && leader.Log.PrefixHashAt(reply.Durable) == hash,
                $"node {node.Id} acknowledges {reply.Durable}, where its log differs from that of leader {leader.Id}");
        }
    }

    /// <summary>The node crashed; what it promised must be on its disk.</summary>
    public void Crashed(SimulatedNode node, LogPosition promised, ulong promisedHash) =>
        checks.Check(
            "I14",
            node.Disk.HoldsDurably(promised, promisedHash),
            $"node {node.Id} acknowledged {promised}, after the crash its disk ends at {node.Disk.DurableEnd}");
}
