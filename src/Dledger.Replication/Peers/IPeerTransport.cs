using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Replication.Bulk;

namespace Dledger.Replication.Peers;

/// <summary>Moves messages between this node and the other members, in order, within sessions.</summary>
/// <remarks>
/// A session is the life of one connection. Each node opens one outbound connection to each other member and sends its
/// requests on it; a reply returns on the connection of its request. Sessions are numbered by the node that opens them,
/// rising per peer. Messages of one session arrive in the order sent or the session ends.
/// Production: <see cref="TcpPeerTransport"/>, and <see cref="NoPeerTransport"/> for a cluster of one.
/// Every member is safe on any thread and none blocks, except dispose.
/// </remarks>
public interface IPeerTransport : IAsyncDisposable
{
    /// <summary>
    /// Begins to listen, and to dial these nodes. Called once; what happens from then on is told to <paramref name="events"/>.
    /// </summary>
    void Start(NodeId self, IReadOnlyList<ClusterMember> members, IPeerEvents events);

    /// <summary>
    /// Dials these nodes from now on and no others, this one excepted; a node with another address is looked for there at
    /// the next dial. Connections that others open are taken from any node that <see cref="IPeerEvents.Judge"/> lets in.
    /// Called after <see cref="Start"/>.
    /// </summary>
    void SetPeers(IReadOnlyList<ClusterMember> peers);

    /// <summary>
    /// Queues a message on the session that it names. It is dropped when that session is gone; a session whose queue is
    /// full is closed, since a message must not be lost inside of one.
    /// </summary>
    /// <param name="peer">The receiver.</param>
    /// <param name="message">A request on the own session, or a reply on the peer's.</param>
    /// <param name="range">For an append the bytes of its range; they must not change any more.</param>
    void Send(NodeId peer, PeerMessage message, IReadOnlyList<ReadOnlyMemory<byte>> range);

    /// <summary>
    /// Asks a node for bulk data on a connection apart from the sessions, which is opened when needed.
    /// <paramref name="completed"/> is called once, later, on a thread of the transport: with null when the node could not be
    /// reached, refused, or did not answer in time. A few requests to one node may wait; they are answered in order.
    /// </summary>
    void Fetch(NodeId peer, BulkRequest request, Action<BulkReply?> completed);

    /// <summary>Closes a session of either direction; the peer dials again.</summary>
    void Close(NodeId peer, long session, string reason);

    /// <summary>Closes all sessions of both directions; all are dialled again with a new Hello.</summary>
    void CloseAll(string reason);

    /// <summary>
    /// Waits until what was queued has left, at most for <paramref name="patience"/>. For the last messages of a
    /// graceful stop.
    /// </summary>
    void Drain(TimeSpan patience);
}
