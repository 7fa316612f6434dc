using Dledger.Raft.Messages;
using Dledger.Replication.Peers;

namespace Dledger.ClusterSimulation.Networks;

/// <summary>One direction of a connection: bytes arrive in order, late, or not at all once the connection is broken.</summary>
internal sealed class Pipe(SimulatedCluster cluster, Connection connection, bool isRequests)
{
    // What TCP needs to find out that a cut link works again.
    private const long RetransmitInterval = 4_000;

    private static readonly PeerMessageLimits Limits = new(64 << 20);

    private readonly Queue<(long Moment, byte[] Bytes)> _underWay = new();
    private readonly byte[] _head = new byte[PeerMessageCodec.EncodedBytesMax];
    private long _arrival;

    public void Send(PeerMessage message, IReadOnlyList<ReadOnlyMemory<byte>> range)
    {
        var bytes = Encode(message, range);
        _arrival = Math.Max(_arrival, cluster.Events.Now + cluster.Network.Latency());
        _underWay.Enqueue((_arrival, bytes));
        cluster.Events.At(_arrival, Deliver);
    }

    private byte[] Encode(PeerMessage message, IReadOnlyList<ReadOnlyMemory<byte>> range)
    {
        var written = PeerMessageCodec.Write(message, RaftGroupId.First, _head);
        var length = written;
        for (var i = 0; i < range.Count; i++)
        {
            length += range[i].Length;
        }

        var bytes = GC.AllocateUninitializedArray<byte>(length);
        _head.AsSpan(0, written).CopyTo(bytes);
        foreach (var part in range)
        {
            part.Span.CopyTo(bytes.AsSpan(written));
            written += part.Length;
        }

        return bytes;
    }

    private void Deliver()
    {
        var (from, to) = isRequests ? (connection.Opener, connection.Acceptor) : (connection.Acceptor, connection.Opener);
        if (!connection.IsOpenAt(to) || !_underWay.TryPeek(out var next) || next.Moment > cluster.Events.Now)
        {
            return;
        }

        if (cluster.Network.IsCut(from.Node, to.Node) || to.Node.IsPaused)
        {
            var wait = to.Node.IsPaused ? to.Node.PausedUntil - cluster.Events.Now : RetransmitInterval;
            cluster.Events.After(Math.Max(1, wait), Deliver);
            return;
        }

        _underWay.Dequeue();
        Receive(to, next.Bytes);
        if (_underWay.TryPeek(out var following) && following.Moment <= cluster.Events.Now)
        {
            cluster.Events.After(0, Deliver);
        }
    }

    private void Receive(SimulatedTransport to, byte[] bytes)
    {
        if (!PeerMessageHeader.TryParse(bytes, out var header, out var fault)
            || header.BodyLength > Limits.BodyBytesMax(header.Type)
            || PeerMessageCodec.TryRead(header, bytes.AsMemory(PeerMessageHeader.Length)) is not { } message)
        {
            throw new InvalidOperationException($"a message of our own cannot be read: {fault}");
        }

        if (cluster.Trace.IsOn)
        {
            cluster.Trace.Line(to.Node, $"<- {message}");
        }

        if (to.Events!.Received(message) is { } refusal)
        {
            cluster.Checks.Check("I16", cluster.Scenario.MayDamageLogs, $"node {to.Node.Id} refuses {message}: {refusal}");
            cluster.Network.Close(connection, to);
        }
    }
}
