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
    private readonly Dictionary<Member, HashSet<ulong>> _damaged = [];
    private readonly Dictionary<Member, SimulatedFrame> _owed = [];

    /// <summary>The newest committed configuration; null while the first one is.</summary>
    public ConfigurationEntry? Configuration { get; private set; }

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
                if (frame.Configuration is { } configuration)
                {
                    Configuration = new ConfigurationEntry(frame.Summary.Base, configuration);
                    if (configuration.IsJoint)
                    {
                        node.Cluster.Marks.Reach("joint configuration committed");
                    }
                }

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
        var configuration = node.Configuration;
        var peers = core.Peers;
        checks.Check(
            "I22",
            position > core.TermStart && MemberChecks.IsQuorum(configuration, voter => voter == node.Disk.Member
                ? core.Durable >= position
                : peers.Any(peer => peer.Node == voter.Node && peer.StorageId == voter.StorageId && peer.Match >= position)),
            $"leader {node.Id} commits {position}, not matched by {configuration}; its term starts at {core.TermStart}");

        var hash = node.Log.PrefixHashAt(position) ?? 0;
        checks.Check(
            "I23",
            MemberChecks.IsQuorum(configuration, voter => Holds(node.Cluster, voter, position, hash)),
            $"leader {node.Id} commits {position}, which the disks of no majority of {configuration} hold");
    }

    /// <summary>A disk loses its content, or a part of it: what it had held until now counts as held (2.26).</summary>
    public void Damaged(Member member, IEnumerable<SimulatedFrame> held)
    {
        if (!_damaged.TryGetValue(member, out var names))
        {
            names = [];
            _damaged.Add(member, names);
        }

        names.UnionWith(held.Select(frame => frame.PrefixHash));
        var last = _committed.FindLastIndex(committed => names.Contains(committed.Frame.PrefixHash));
        if (last >= 0)
        {
            _owed[member] = _committed[last].Frame;
        }
    }

    /// <summary>A node is about to clear its loss flag.</summary>
    public void ClearingLoss(SimulatedNode node)
    {
        node.Cluster.Marks.Reach("loss flag cleared");
        checks.Check(
            "I34",
            !_owed.TryGetValue(node.Disk.Member, out var owed) || node.Disk.HoldsDurably(owed.End, owed.PrefixHash),
            $"node {node.Id} clears its loss flag without the frame that ends at {owed.End}, which it had when that was committed");
    }

    private bool Holds(SimulatedCluster cluster, Member voter, LogPosition position, ulong hash)
    {
        var disk = cluster.Find(voter.Node)!.Disk;
        return (disk.Member == voter && disk.HoldsDurably(position, hash))
            || (_damaged.TryGetValue(voter, out var names) && names.Contains(hash));
    }
}
