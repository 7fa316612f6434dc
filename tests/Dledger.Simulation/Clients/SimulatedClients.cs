using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Peers;
using Dledger.Simulation.Nodes;

namespace Dledger.Simulation.Clients;

/// <summary>Proposes frames to whoever leads and remembers what was promised (I25, I41).</summary>
internal sealed class SimulatedClients(SimulatedCluster cluster)
{
    private sealed record Proposal(SimulatedFrame Frame, LogPosition AcknowledgedBefore);

    private readonly Dictionary<(NodeId Node, int Life), Queue<Proposal>> _waiting = [];
    private LogPosition _acknowledged;

    /// <summary>Proposals acknowledged so far.</summary>
    public long AcknowledgedCount { get; private set; }

    public bool IsStopped { get; set; }

    public void Start() => cluster.Events.After(cluster.Scenario.ProposalInterval, Propose);

    /// <summary>A node leads a new term: what an earlier leadership of the same process left open has an unknown outcome.</summary>
    public void LeaderElected(SimulatedNode node) => _waiting[(node.Id, node.Life)] = new Queue<Proposal>();

    /// <summary>A node reported a commit position: a leader answers its clients.</summary>
    public void Committed(SimulatedNode node, LogPosition position)
    {
        if (node.Core!.Role != RaftRole.Leader || !_waiting.TryGetValue((node.Id, node.Life), out var waiting))
        {
            return;
        }

        while (waiting.TryPeek(out var proposal) && proposal.Frame.End <= position)
        {
            waiting.Dequeue();
            cluster.Checks.Check(
                "I25",
                cluster.Checks.Commits.IsCommitted(proposal.Frame),
                $"node {node.Id} acknowledges the frame at {proposal.Frame.Summary.Base}, which is not committed");
            cluster.Checks.Check(
                "I41",
                proposal.Frame.Summary.Base >= proposal.AcknowledgedBefore,
                $"frame at {proposal.Frame.Summary.Base} began after {proposal.AcknowledgedBefore} was acknowledged");
            _acknowledged = LogPosition.Max(_acknowledged, proposal.Frame.End);
            AcknowledgedCount++;
        }
    }

    /// <summary>Cuts one frame on a node that takes proposals.</summary>
    public void ProposeTo(SimulatedNode node) => node.Post("propose", (core, _) =>
    {
        if (!core.CanPropose)
        {
            return;
        }

        var random = cluster.Random;
        var isLarge = random.Chance(0.02);
        var length = cluster.Scenario.HasUniformFrames ? 128 : 8 * (isLarge ? random.Next(256, 4096) : random.Next(9, 256));
        var acknowledged = _acknowledged;

        if (core.Peers.Any(peer => peer.State == ProgressState.Replicate && core.End - peer.Received >= 4 * cluster.Scenario.RangeBytesMax))
        {
            cluster.Marks.Reach("window full");
        }

        // The outcome of this call may already be the commit, in a group of one.
        var frame = node.CutFrame((int)length, FrameFlags.None);
        _waiting[(node.Id, node.Life)].Enqueue(new Proposal(frame, acknowledged));
    });

    private void Propose()
    {
        if (IsStopped)
        {
            return;
        }

        var node = cluster.Nodes[cluster.Random.Next(cluster.Nodes.Count)];
        foreach (var candidate in cluster.Nodes)
        {
            // Mostly the leader, but a leader that is cut off and does not know it must get work, too.
            node = candidate.Core?.Role == RaftRole.Leader && cluster.Random.Chance(0.7) ? candidate : node;
        }

        if (node.Core is not null)
        {
            ProposeTo(node);
        }

        cluster.Events.After(cluster.Random.NextInterval(cluster.Scenario.ProposalInterval), Propose);
    }
}
