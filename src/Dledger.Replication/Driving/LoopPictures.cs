using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Peers;
using Dledger.Replication.Tails;
using Dledger.Storage.Metadata;

namespace Dledger.Replication.Driving;

/// <summary>Puts together what a node shows of itself. Replication loop.</summary>
internal sealed class LoopPictures(RaftCore core, LocalLog log, RaftLogView view, MembershipDriver membership)
{
    /// <summary>What the node looks like now.</summary>
    /// <param name="now">Microseconds of the loop's clock.</param>
    /// <param name="metadata">As last handed to the writer.</param>
    /// <param name="durableTerm">The newest term that a Hello may reveal.</param>
    /// <param name="isStopping">A stop has begun.</param>
    public NodePicture Take(long now, NodeMetadata metadata, Term durableTerm, bool isStopping) => new()
    {
        Role = RoleOf(core.Role),
        ClusterId = metadata.ClusterId,
        State = core.HasLoss ? PeerState.Loss : PeerState.Normal,
        Term = core.Term,
        DurableTerm = durableTerm,
        Leader = core.Leader,
        LastTerm = log.LastTerm,
        Start = view.Start,
        Commit = core.Commit,
        End = core.End,
        Durable = core.Durable,
        Peers = DescribePeers(now),
        Members = membership.Members,
        IsMember = membership.IsMember,
        IsDrained = core.IsDrained,
        SnapshotAttachment = membership.AttachmentAt(view.Start),
        UnavailableReason = core.PassiveReason,
        IsStopping = isStopping,
    };

    private PeerStatus[] DescribePeers(long now)
    {
        var isLeader = core.Role == RaftRole.Leader;
        var progress = core.Peers;
        var peers = new PeerStatus[progress.Count];
        for (var i = 0; i < peers.Length; i++)
        {
            var peer = progress[i];
            peers[i] = new PeerStatus(
                peer.Node,
                peer.IsConnected,
                isLeader ? peer.Match : LogPosition.Zero,
                isLeader ? Math.Max(0, core.End - peer.Match) : 0,
                isLeader && peer.LastContact > 0 ? TimeSpan.FromMicroseconds(now - peer.LastContact) : null);
        }

        return peers;
    }

    private static ReplicationRole RoleOf(RaftRole role) => role switch
    {
        RaftRole.Passive => ReplicationRole.Passive,
        RaftRole.Follower => ReplicationRole.Follower,
        RaftRole.PreCandidate => ReplicationRole.PreCandidate,
        RaftRole.Candidate => ReplicationRole.Candidate,
        RaftRole.Leader => ReplicationRole.Leader,
        _ => throw new InvariantViolationException($"unknown role {role}"),
    };
}
