using Dledger.ClusterSimulation.Nodes;
using Dledger.Raft.Messages;
using Dledger.Replication;
using Dledger.Replication.Bulk;
using Dledger.Replication.Peers;

namespace Dledger.ClusterSimulation.Networks;

/// <summary>The network as one process sees it.</summary>
internal sealed class SimulatedTransport(SimulatedNetwork network, SimulatedNode node) : IPeerTransport
{
    private readonly int _life = node.Life;
    private HashSet<NodeId> _peers = [];
    private bool _isDisposed;

    public SimulatedNode Node => node;

    /// <summary>What it tells; null before it is started.</summary>
    public IPeerEvents? Events { get; private set; }

    public bool IsAlive => !_isDisposed && Events is not null && node.Life == _life;

    /// <inheritdoc/>
    public void Start(NodeId self, IReadOnlyList<ClusterMember> members, IPeerEvents events)
    {
        Events = events;
        _peers = [.. members.Select(member => member.Node)];
    }

    /// <summary>Whether it wants a connection to a node.</summary>
    public bool Dials(NodeId peer) => _peers.Contains(peer);

    /// <inheritdoc/>
    public void SetPeers(IReadOnlyList<ClusterMember> peers)
    {
        _peers = [.. peers.Select(peer => peer.Node)];
        network.CloseAll(this, connection => connection.Opener == this && !Dials(connection.Acceptor.Node.Id));
    }

    /// <inheritdoc/>
    public void Send(NodeId peer, PeerMessage message, IReadOnlyList<ReadOnlyMemory<byte>> range) =>
        network.Send(this, peer, message, range);

    /// <inheritdoc/>
    public void Fetch(NodeId peer, BulkRequest request, Action<BulkReply?> completed) =>
        network.Bulk.Fetch(this, peer, request, completed);

    /// <inheritdoc/>
    public void Close(NodeId peer, long session, string reason) =>
        network.CloseAll(this, connection => connection.Number == session);

    /// <inheritdoc/>
    public void CloseAll(string reason) => network.CloseAll(this, static _ => true);

    /// <inheritdoc/>
    public void Drain(TimeSpan patience)
    {
        // What was sent is under way already.
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        if (!_isDisposed)
        {
            network.ProcessEnded(this, isSilent: false);
            _isDisposed = true;
        }

        return ValueTask.CompletedTask;
    }
}
