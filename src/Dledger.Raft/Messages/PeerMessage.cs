using Dledger.Primitives;

namespace Dledger.Raft.Messages;

/// <summary>One message between two nodes of a group; which group it is, the transport knows.</summary>
public abstract record PeerMessage
{
    /// <summary>The node that sent it.</summary>
    public required NodeId From { get; init; }

    /// <summary>
    /// The connection that carries it, numbered by the node that opened it. A node sends its requests on its own outbound
    /// connection to the peer; a reply goes back on the connection of its request and bears that connection's number.
    /// Numbers of one node rise with each connection that its process opens to a peer.
    /// </summary>
    public required long Session { get; init; }

    /// <summary>The sender's term.</summary>
    public required Term Term { get; init; }

    /// <summary>True for messages that travel back on the connection that the receiver opened.</summary>
    public virtual bool IsReply => false;
}
