using Dledger.Replication.Bulk;

namespace Dledger.ClusterSimulation.Networks;

/// <summary>
/// Bulk requests between the processes: each takes a while, goes through its encoding, and is lost when a link is cut or a process is
/// gone or frozen on its way.
/// </summary>
internal sealed class BulkLane(SimulatedCluster cluster)
{
    // What the production code waits for an answer, in election timeouts.
    private const int PatienceFactor = 5;

    public void Fetch(SimulatedTransport from, NodeId peer, BulkRequest request, Action<BulkReply?> completed)
    {
        var bytes = BulkCodec.Write(request, RaftGroupId.First, from.Node.Id, session: 1);
        cluster.Events.After(cluster.Network.Latency(), () =>
        {
            var answer = Ask(from, peer, bytes);
            var wait = answer is null
                ? PatienceFactor * cluster.Scenario.ElectionTimeout
                : cluster.Network.Latency();
            cluster.Events.After(wait, () => Answer(from, answer, completed));
        });
    }

    private byte[]? Ask(SimulatedTransport from, NodeId peer, byte[] request)
    {
        var node = cluster.Nodes.First(each => each.Id == peer);
        if (!from.IsAlive || node.Transport is not { IsAlive: true } to || node.IsPaused
            || cluster.Network.IsCut(from.Node, node) || cluster.Network.IsCut(node, from.Node)
            || to.Events!.Judge(from.Events!.Introduce()) is not null)
        {
            return null;
        }

        var read = BulkCodec.TryReadRequest(request.AsSpan(Dledger.Replication.Peers.PeerMessageHeader.Length))
            ?? throw new InvalidOperationException("a bulk request of our own cannot be read");
        byte[]? answer = null;
        node.Guard(() =>
        {
            var reply = to.Events.Serve(from.Node.Id, read);
            answer = [.. BulkCodec.WriteHead(reply, RaftGroupId.First, peer, session: 1), .. reply.Bytes.Span];
        });
        return answer;
    }

    private void Answer(SimulatedTransport from, byte[]? answer, Action<BulkReply?> completed)
    {
        if (!from.IsAlive)
        {
            return;
        }

        if (from.Node.IsPaused)
        {
            cluster.Events.At(from.Node.PausedUntil, () => Answer(from, answer, completed));
            return;
        }

        var reply = answer is null
            ? null
            : BulkCodec.TryReadReply(answer.AsMemory(Dledger.Replication.Peers.PeerMessageHeader.Length));
        from.Node.Guard(() => completed(reply));
    }
}
