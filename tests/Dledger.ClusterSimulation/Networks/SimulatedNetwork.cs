using Dledger.ClusterSimulation.Nodes;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;

namespace Dledger.ClusterSimulation.Networks;

/// <summary>
/// Connections like TCP between the processes: in order, reliable until broken, half-open for a while, silent while a link
/// is cut. Every message goes through its encoding.
/// </summary>
internal sealed class SimulatedNetwork(SimulatedCluster cluster)
{
    private readonly List<Connection> _connections = [];
    private readonly HashSet<(NodeId From, NodeId To)> _cuts = [];
    private readonly HashSet<(NodeId From, NodeId To)> _dialling = [];
    private long _number;

    public BulkLane Bulk { get; } = new(cluster);

    public bool IsCut(SimulatedNode from, SimulatedNode to) => _cuts.Contains((from.Id, to.Id));

    public long Latency()
    {
        var latency = cluster.Random.NextInterval(cluster.Scenario.Latency);
        return cluster.Scenario.HasSlowLinks && !cluster.IsHealed && cluster.Random.Chance(0.02) ? latency * 50 : latency;
    }

    /// <summary>Lets each node dial each other again and again.</summary>
    public void Start()
    {
        foreach (var opener in cluster.Nodes)
        {
            foreach (var acceptor in cluster.Nodes.Where(other => other != opener))
            {
                Dial(opener, acceptor);
            }
        }
    }

    /// <summary>Cuts one direction of a link; connections over it are noticed as dead only after a while.</summary>
    public void Cut(SimulatedNode from, SimulatedNode to)
    {
        if (from == to || !_cuts.Add((from.Id, to.Id)))
        {
            return;
        }

        foreach (var connection in _connections.Where(each => Joins(each, from, to)).ToArray())
        {
            cluster.Events.After(Timeout(), () =>
            {
                if (IsCut(from, to))
                {
                    CloseEnd(connection, connection.Opener, SessionCloseReason.Timeout);
                    cluster.Events.After(
                        Timeout(), () => CloseEnd(connection, connection.Acceptor, SessionCloseReason.Timeout));
                }
            });
        }
    }

    public void Mend() => _cuts.Clear();

    /// <summary>Breaks the connections of a pair; the ends see some kind of close.</summary>
    public void Break(SimulatedNode one, SimulatedNode other)
    {
        foreach (var connection in _connections.Where(each => Joins(each, one, other)).ToArray())
        {
            var reason = cluster.Random.Chance(0.5) ? SessionCloseReason.PeerReset : SessionCloseReason.Timeout;
            CloseEnd(connection, connection.Opener, reason);
            cluster.Events.After(Latency(), () => CloseEnd(connection, connection.Acceptor, reason));
        }
    }

    /// <summary>A process is gone. Its kernel tells the other ends, unless the whole machine is gone.</summary>
    public void ProcessEnded(SimulatedTransport ended, bool isSilent)
    {
        foreach (var connection in _connections.Where(each => each.Opener == ended || each.Acceptor == ended).ToArray())
        {
            var other = connection.OtherEnd(ended);
            if (connection.TryClose(ended) && ended == connection.Opener)
            {
                Dial(ended.Node, other.Node);
            }

            var reason = isSilent || IsCut(ended.Node, other.Node)
                ? SessionCloseReason.Timeout
                : SessionCloseReason.PeerReset;
            cluster.Events.After(
                reason == SessionCloseReason.PeerReset ? Latency() : Timeout(),
                () => CloseEnd(connection, other, reason));
        }
    }

    public void Send(SimulatedTransport from, NodeId to, PeerMessage message, IReadOnlyList<ReadOnlyMemory<byte>> range)
    {
        // Backwards: the living ones are the young ones.
        for (var i = _connections.Count - 1; i >= 0; i--)
        {
            var connection = _connections[i];
            if (connection.Number == message.Session)
            {
                var end = message.IsReply ? connection.Acceptor : connection.Opener;
                if (end == from && connection.OtherEnd(end).Node.Id == to && connection.IsOpenAt(from))
                {
                    cluster.Checks.Elections.Sent(from.Node, to, message);
                    cluster.Checks.Commits.Sent(from.Node, message);
                    (message.IsReply ? connection.Replies : connection.Requests).Send(message, range);
                }

                return;
            }
        }
    }

    /// <summary>A process closes its end on purpose; the other end sees a reset.</summary>
    public void Close(Connection connection, SimulatedTransport end)
    {
        CloseEnd(connection, end, SessionCloseReason.Local);
        cluster.Events.After(
            Latency(), () => CloseEnd(connection, connection.OtherEnd(end), SessionCloseReason.PeerReset));
    }

    public void CloseAll(SimulatedTransport end, Func<Connection, bool> isMeant)
    {
        foreach (var connection in _connections.Where(each => each.IsOpenAt(end) && isMeant(each)).ToArray())
        {
            Close(connection, end);
        }
    }

    private static bool Joins(Connection connection, SimulatedNode one, SimulatedNode other) =>
        (connection.Opener.Node == one && connection.Acceptor.Node == other)
        || (connection.Opener.Node == other && connection.Acceptor.Node == one);

    private void CloseEnd(Connection connection, SimulatedTransport end, SessionCloseReason reason)
    {
        var isKnown = connection.IsOpenAt(end);
        if (!connection.TryClose(end))
        {
            return;
        }

        if (end == connection.Opener)
        {
            Dial(end.Node, connection.Acceptor.Node);
        }

        if (!isKnown)
        {
            return;
        }

        if (connection.IsGone)
        {
            _connections.Remove(connection);
        }

        var peer = connection.OtherEnd(end).Node.Id;
        WhenAwake(end, () =>
        {
            if (end == connection.Opener)
            {
                end.Events!.SessionClosed(peer, connection.Number, reason);
            }
            else
            {
                end.Events!.InboundSessionClosed(peer, connection.Number, reason);
            }
        });
    }

    // Again and again until there is a connection; its end begins the next attempts.
    private void Dial(SimulatedNode opener, SimulatedNode acceptor)
    {
        if (!_dialling.Add((opener.Id, acceptor.Id)))
        {
            return;
        }

        var timeout = cluster.Scenario.ElectionTimeout;
        cluster.Events.After(cluster.Random.Next(timeout / 50, timeout / 8), () =>
        {
            _dialling.Remove((opener.Id, acceptor.Id));
            if (opener.Transport is { IsAlive: true } from && acceptor.Transport is { IsAlive: true } to
                && from.Dials(acceptor.Id)
                && !opener.IsPaused && !acceptor.IsPaused && !IsCut(opener, acceptor) && !IsCut(acceptor, opener)
                && ShakeHands(from, to))
            {
                return;
            }

            Dial(opener, acceptor);
        });
    }

    // As PeerHandshake does it: the acceptor judges first, then the one that dialled.
    private bool ShakeHands(SimulatedTransport from, SimulatedTransport to)
    {
        var introduction = to.Events!.Introduce();
        var refusal = to.Events.Judge(from.Events!.Introduce()) is { } told
            ? $"it refuses this node: {told}"
            : from.Events.Judge(introduction);
        if (refusal is not null)
        {
            from.Events.DialRefused(to.Node.Id, refusal);
            return false;
        }

        // A new connection of a peer replaces the old one, as at the listener.
        foreach (var old in _connections.Where(each => each.Opener.Node == from.Node && each.Acceptor == to).ToArray())
        {
            CloseEnd(old, to, SessionCloseReason.Local);
        }

        var connection = new Connection(cluster, from, to, ++_number);
        _connections.RemoveAll(old => old.IsGone || (!old.Opener.IsAlive && !old.Acceptor.IsAlive));
        _connections.Add(connection);
        cluster.Events.After(Latency(), () => WhenAwake(from, () =>
        {
            if (connection.IsOpenAt(from))
            {
                from.Events.SessionOpened(connection.Number, introduction);
            }
        }));
        return true;
    }

    private void WhenAwake(SimulatedTransport end, Action action)
    {
        if (!end.IsAlive)
        {
            return;
        }

        if (end.Node.IsPaused)
        {
            cluster.Events.At(end.Node.PausedUntil, () => WhenAwake(end, action));
            return;
        }

        action();
    }

    private long Timeout() =>
        cluster.Random.Next(cluster.Scenario.ElectionTimeout / 2, 3 * cluster.Scenario.ElectionTimeout);
}
