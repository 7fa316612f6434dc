using Dledger.Primitives;
using Dledger.Raft.Quorums;

namespace Dledger.Raft.Peers;

/// <summary>The other voters of the configuration, in the order of their numbers.</summary>
internal sealed class PeerTable(Configuration configuration, NodeId self)
{
    private readonly Peer[] _peers = [.. configuration.Voters.Where(node => node != self).Select(node => new Peer(node))];

    public ReadOnlySpan<Peer> All => _peers;

    /// <summary>The peer of that number; null when it is no voter.</summary>
    public Peer? Find(NodeId node)
    {
        foreach (var peer in _peers)
        {
            if (peer.Node == node)
            {
                return peer;
            }
        }

        return null;
    }

    public IReadOnlyList<PeerProgress> ToProgress() => [.. _peers.Select(peer => peer.ToProgress())];
}
