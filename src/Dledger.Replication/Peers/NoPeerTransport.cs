using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Replication.Bulk;

namespace Dledger.Replication.Peers;

/// <summary>The transport of a cluster of one: there is nobody to talk to.</summary>
public sealed class NoPeerTransport : IPeerTransport
{
    /// <inheritdoc/>
    public void Start(NodeId self, IReadOnlyList<ClusterMember> members, IPeerEvents events) =>
        Invariant.Check(members.Count == 1, "only a cluster of one can do without a transport");

    /// <inheritdoc/>
    public void SetPeers(IReadOnlyList<ClusterMember> peers)
    {
        // A node without an address for others refuses to add any; those that the log names cannot be reached.
    }

    /// <inheritdoc/>
    public void Send(NodeId peer, PeerMessage message, IReadOnlyList<ReadOnlyMemory<byte>> range)
    {
    }

    /// <inheritdoc/>
    public void Fetch(NodeId peer, BulkRequest request, Action<BulkReply?> completed) => completed(null);

    /// <inheritdoc/>
    public void Close(NodeId peer, long session, string reason)
    {
    }

    /// <inheritdoc/>
    public void CloseAll(string reason)
    {
    }

    /// <inheritdoc/>
    public void Drain(TimeSpan patience)
    {
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
