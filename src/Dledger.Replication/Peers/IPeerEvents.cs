using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Replication.Bulk;

namespace Dledger.Replication.Peers;

/// <summary>
/// What a transport tells its node. Called on the transport's threads, one connection at a time in order.
/// </summary>
public interface IPeerEvents
{
    /// <summary>What this node says of itself in the next Hello.</summary>
    PeerIntroduction Introduce();

    /// <summary>
    /// Decides whether a node may talk to this one; null when it may, else the reason, which is told to it.
    /// </summary>
    string? Judge(PeerIntroduction introduction);

    /// <summary>A peer refused this node's Hello, or does not speak the protocol.</summary>
    void DialRefused(NodeId peer, string reason);

    /// <summary>The own outbound connection to a peer is open.</summary>
    void SessionOpened(long session, PeerIntroduction introduction);

    /// <summary>The own outbound connection to a peer has ended.</summary>
    void SessionClosed(NodeId peer, long session, SessionCloseReason reason);

    /// <summary>The connection that a peer had opened has ended.</summary>
    void InboundSessionClosed(NodeId peer, long session, SessionCloseReason reason);

    /// <summary>
    /// A message came. The node checks its content, keeps it, and answers null; or a reason for which the connection is
    /// closed. Never blocks: behind frames wait heart-beats.
    /// </summary>
    string? Received(PeerMessage message);

    /// <summary>
    /// A peer asks for bulk data. May read from disk: called on a thread that does nothing else for that peer's sessions.
    /// </summary>
    BulkReply Serve(NodeId peer, BulkRequest request);
}
