using Dledger.Primitives;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication.Peers;

/// <summary>The nodes that this one dials: for each a connection for Raft's messages and one for bulk data.</summary>
/// <remarks>Look-ups need no lock: the table is replaced as a whole. Any thread.</remarks>
internal sealed class PeerDialers(
    TcpPeerTransportOptions options, NodeId self, IPeerEvents events, TimeProvider time, ulong seed, ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly List<PeerDialer> _retired = [];
    private readonly Dictionary<NodeId, long> _lastSessions = [];
    private Dictionary<NodeId, Pair> _pairs = [];
    private bool _isStopped;

    /// <summary>The open connections for Raft's messages.</summary>
    public IEnumerable<PeerConnection> Connections =>
        Volatile.Read(ref _pairs).Values.Select(pair => pair.Raft.Connection).OfType<PeerConnection>();

    /// <summary>The open connection to a node, if there is one.</summary>
    public PeerConnection? Find(NodeId peer) => Volatile.Read(ref _pairs).GetValueOrDefault(peer)?.Raft.Connection;

    /// <summary>Who asks a node for bulk data; null when it is not dialled.</summary>
    public BulkDialer? FindBulk(NodeId peer) => Volatile.Read(ref _pairs).GetValueOrDefault(peer)?.Bulk;

    /// <summary>Dials these nodes from now on and no others.</summary>
    public void Set(IReadOnlyList<ClusterMember> peers)
    {
        lock (_lock)
        {
            if (_isStopped)
            {
                return;
            }

            var wanted = peers.Where(peer => peer.Node != self).ToDictionary(peer => peer.Node);
            var next = new Dictionary<NodeId, Pair>();
            foreach (var (node, pair) in _pairs)
            {
                if (wanted.ContainsKey(node))
                {
                    next.Add(node, pair);
                    continue;
                }

                pair.Stop("this node needs no connection to the other one any more");
                _lastSessions[node] = pair.Raft.LastSession;
                _retired.RemoveAll(retired => retired.HasEnded);
                _retired.Add(pair.Raft);
            }

            foreach (var (node, member) in wanted)
            {
                if (next.TryGetValue(node, out var pair))
                {
                    pair.Raft.Member = member;
                    pair.Bulk.Member = member;
                    continue;
                }

                pair = new Pair(
                    new PeerDialer(
                        options, self, member, events, time, seed, _lastSessions.GetValueOrDefault(node), logger),
                    new BulkDialer(options, self, member, events, time, logger));
                next.Add(node, pair);
                pair.Raft.Start();
            }

            Volatile.Write(ref _pairs, next);
        }
    }

    /// <summary>Ends all connections and the dialling; does not wait.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _isStopped = true;
            foreach (var pair in _pairs.Values)
            {
                pair.Stop("this node stops");
            }
        }
    }

    /// <summary>Waits for all threads to end.</summary>
    public void Join(TimeSpan patience)
    {
        foreach (var dialer in _pairs.Values.Select(pair => pair.Raft).Concat(_retired))
        {
            dialer.Join(patience);
        }

        foreach (var pair in _pairs.Values)
        {
            pair.Bulk.Join(patience);
        }
    }

    private sealed record Pair(PeerDialer Raft, BulkDialer Bulk)
    {
        public void Stop(string reason)
        {
            Raft.Stop(reason);
            Bulk.Stop();
        }
    }
}
