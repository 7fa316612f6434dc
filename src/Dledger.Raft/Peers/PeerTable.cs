using Dledger.Primitives;
using Dledger.Raft.Quorums;

namespace Dledger.Raft.Peers;

/// <summary>The other nodes: those with a part in the configuration, and those that merely are or were connected.</summary>
/// <remarks>A connection may be opened before the frame that makes its node a member arrives, so strangers are kept as well.</remarks>
internal sealed class PeerTable
{
    private readonly SortedDictionary<NodeId, Peer> _known = [];
    private Peer[] _peers = [];

    /// <summary>Those with a part in the configuration, in the order of their numbers.</summary>
    public ReadOnlySpan<Peer> All => _peers;

    /// <summary>Strangers as well.</summary>
    public IEnumerable<Peer> Known => _known.Values;

    /// <summary>The peer of that number; null when nothing is known of it.</summary>
    public Peer? Find(NodeId node) => _known.GetValueOrDefault(node);

    /// <summary>The peer of that number, now known at the latest.</summary>
    public Peer Meet(NodeId node)
    {
        if (!_known.TryGetValue(node, out var peer))
        {
            peer = new Peer(node);
            _known.Add(node, peer);
        }

        return peer;
    }

    /// <summary>Sets who has a part; returns those who had none before.</summary>
    public IReadOnlyList<Peer> SetMembers(IReadOnlyCollection<NodeId> nodes)
    {
        var before = _peers;
        _peers = [.. nodes.Order().Select(Meet)];
        foreach (var peer in _known.Values)
        {
            peer.IsMember = nodes.Contains(peer.Node);
        }

        return [.. _peers.Except(before)];
    }

    public IReadOnlyList<PeerProgress> ToProgress(Configuration configuration)
    {
        var progress = new PeerProgress[_peers.Length];
        for (var i = 0; i < progress.Length; i++)
        {
            progress[i] = _peers[i].ToProgress(configuration);
        }

        return progress;
    }
}
