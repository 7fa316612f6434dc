using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Quorums;
using Dledger.Simulation.Nodes;

namespace Dledger.Simulation.Invariants;

/// <summary>I20 to I24: what must hold of the committed prefix, which all nodes share and nothing changes.</summary>
internal sealed class CommitChecks(Checks checks)
{
    private readonly List<(SimulatedFrame Frame, Term Term)> _committed = [];
    private readonly Dictionary<LogPosition, (ulong Hash, Term Term)> _hashes = [];

    /// <summary>Every frame that any node ever reported committed, in order, and the term in which it was.</summary>
    public IReadOnlyList<(SimulatedFrame Frame, Term Term)> Committed => _committed;

    public LogPosition End => _committed.Count == 0 ? LogPosition.Zero : _committed[^1].Frame.End;

    public bool IsCommitted(in SimulatedFrame frame) =>
        _hashes.TryGetValue(frame.End, out var committed) && committed.Hash == frame.PrefixHash;

    /// <summary>Whether a frame was committed in a term or before it: no leader of that term lacks it.</summary>
    public bool IsCommittedBy(in SimulatedFrame frame, Term term) =>
        IsCommitted(frame) && _hashes[frame.End].Term <= term;

    /// <summary>A node reported a higher commit position.</summary>
    public void Advanced(SimulatedNode node, LogPosition from, LogPosition to)
    {
        var core = node.Core!;
        checks.Check("I21", to > from, $"node {node.Id} reports commit {to} after {from}");
        checks.Check("I24", to <= core.Verified, $"node {node.Id} commits {to}, verified is {core.Verified}");
        if (core.Role == RaftRole.Leader)
        {
            LeaderCommitted(node, to);
        }

        var end = node.Log.CountBefore(to);
        for (var i = node.Log.CountBefore(from); i < end; i++)
        {
            var frame = node.Log.Frames[i];
            if (frame.End > End)
            {
                checks.Check(
                    "I20",
                    frame.Summary.Base == End,
                    $"node {node.Id} commits a frame at {frame.Summary.Base}, the committed log ends at {End}");
                _committed.Add((frame, core.Term));
                _hashes[frame.End] = (frame.PrefixHash, core.Term);
            }

            checks.Check(
                "I20",
                IsCommitted(frame),
                $"node {node.Id} commits another frame than was committed before position {frame.End}");
        }
    }

    private void LeaderCommitted(SimulatedNode node, LogPosition position)
    {
        var core = node.Core!;
        var quorum = Quorum.Size(node.Cluster.Nodes.Count);
        var matches = core.Peers.Count(peer => peer.Match >= position) + (core.Durable >= position ? 1 : 0);
        checks.Check(
            "I22",
            matches >= quorum && position > core.TermStart,
            $"leader {node.Id} commits {position}: {matches} matches, term starts at {core.TermStart}");

        var hash = node.Log.PrefixHashAt(position) ?? 0;
        var holders = node.Cluster.Nodes.Count(other => other.Disk.HoldsDurably(position, hash));
        checks.Check("I23", holders >= quorum, $"leader {node.Id} commits {position}, which {holders} disks hold");
    }
}
