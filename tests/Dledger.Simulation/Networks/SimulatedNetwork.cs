using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Simulation.Nodes;

namespace Dledger.Simulation.Networks;

/// <summary>
/// Connections like TCP: in order, reliable until broken, half-open for a while, silent while a link is cut. In hostile runs single
/// messages are also reordered, doubled, dropped, and replayed after their connection is gone.
/// </summary>
internal sealed class SimulatedNetwork(SimulatedCluster cluster)
{
    private const int ReplayCountMax = 64;

    private readonly Dictionary<(NodeId From, NodeId To), Connection> _connections = [];
    private readonly List<Connection> _inbound = [];
    private readonly HashSet<(NodeId From, NodeId To)> _blocked = [];
    private readonly List<(SimulatedNode To, int Life, PeerMessage Message)> _replays = [];
    private long _number;

    /// <summary>Single messages suffer.</summary>
    public bool IsHostile { get; set; } = cluster.Scenario.IsHostile;

    public bool IsBlocked(SimulatedNode from, SimulatedNode to) => _blocked.Contains((from.Id, to.Id));

    public void Start()
    {
        foreach (var opener in cluster.Nodes)
        {
            foreach (var acceptor in cluster.Nodes)
            {
                if (opener != acceptor)
                {
                    Connect(opener, acceptor);
                }
            }
        }
    }

    /// <summary>Cuts one direction of a link; connections over it are noticed as dead only after a while.</summary>
    public void Block(SimulatedNode from, SimulatedNode to)
    {
        if (from == to || !_blocked.Add((from.Id, to.Id)))
        {
            return;
        }

        foreach (var connection in _inbound.ToArray())
        {
            if ((connection.Opener == from && connection.Acceptor == to) || (connection.Opener == to && connection.Acceptor == from))
            {
                cluster.Events.After(RandomTimeout(), () =>
                {
                    if (IsBlocked(from, to))
                    {
                        CloseEnd(connection, atOpener: true, SessionCloseReason.Timeout);
                        cluster.Events.After(RandomTimeout(), () => CloseEnd(connection, atOpener: false, SessionCloseReason.Timeout));
                    }
                });
            }
        }
    }

    public void Unblock() => _blocked.Clear();

    public void Unblock(SimulatedNode from, SimulatedNode to) => _blocked.Remove((from.Id, to.Id));

    /// <summary>Breaks the connections of a pair; either end sees it as some kind of close.</summary>
    public void Break(SimulatedNode opener, SimulatedNode acceptor)
    {
        if (_connections.TryGetValue((opener.Id, acceptor.Id), out var connection))
        {
            var reason = cluster.Random.Chance(0.5) ? SessionCloseReason.PeerReset : SessionCloseReason.Timeout;
            CloseEnd(connection, atOpener: true, reason);
            cluster.Events.After(Latency(), () => CloseEnd(connection, atOpener: false, reason));
        }
    }

    /// <summary>A process is gone. Its kernel tells the other ends, unless the whole machine lost power.</summary>
    public void NodeDown(SimulatedNode node, bool isSilent)
    {
        foreach (var connection in _inbound.ToArray())
        {
            var isOpener = connection.Opener == node;
            if (!isOpener && connection.Acceptor != node)
            {
                continue;
            }

            var other = isOpener ? connection.Acceptor : connection.Opener;
            var reason = isSilent || IsBlocked(node, other) ? SessionCloseReason.Timeout : SessionCloseReason.PeerReset;
            var delay = reason == SessionCloseReason.PeerReset ? Latency() : RandomTimeout();
            CloseEnd(connection, isOpener, SessionCloseReason.Local);
            cluster.Events.After(delay, () => CloseEnd(connection, !isOpener, reason));
        }
    }

    public void Send(SimulatedNode from, NodeId to, PeerMessage message)
    {
        if (message is AppendRequest { IsEmpty: false } request)
        {
            message = from.Log.Attach(request);
        }

        var connection = message.IsReply
            ? _inbound.Find(candidate => candidate.Number == message.Session && candidate.Acceptor == from && candidate.IsCurrent(toAcceptor: true))
            : _connections.GetValueOrDefault((from.Id, to));
        if (connection is null || connection.Number != message.Session || (!message.IsReply && !connection.IsCurrent(toAcceptor: false)))
        {
            return;
        }

        var receiver = message.IsReply ? connection.Opener : connection.Acceptor;
        if (IsHostile)
        {
            SendHostile(from, receiver, message);
            return;
        }

        var moment = cluster.Events.Now + Latency();
        if (message.IsReply)
        {
            moment = connection.RepliesUntil = Math.Max(connection.RepliesUntil, moment);
        }
        else
        {
            moment = connection.RequestsUntil = Math.Max(connection.RequestsUntil, moment);
        }

        cluster.Events.At(moment, () => Deliver(connection, message));
    }

    private void Deliver(Connection connection, PeerMessage message)
    {
        var toAcceptor = !message.IsReply;
        var (from, to) = toAcceptor ? (connection.Opener, connection.Acceptor) : (connection.Acceptor, connection.Opener);
        if (!connection.IsCurrent(toAcceptor))
        {
            return;
        }

        if (IsBlocked(from, to))
        {
            // TCP sends again until the connection is given up. Equal delays keep the order.
            cluster.Events.After(5_000, () => Deliver(connection, message));
            return;
        }

        to.Deliver(message);
    }

    private void SendHostile(SimulatedNode from, SimulatedNode to, PeerMessage message)
    {
        var random = cluster.Random;
        if (IsBlocked(from, to) || random.Chance(0.03))
        {
            return;
        }

        if (random.Chance(0.1))
        {
            if (_replays.Count < ReplayCountMax)
            {
                _replays.Add((to, to.Life, message));
            }
            else
            {
                _replays[random.Next(ReplayCountMax)] = (to, to.Life, message);
            }
        }

        Later(to, to.Life, message);
        if (random.Chance(0.05))
        {
            Later(to, to.Life, message);
        }

        if (random.Chance(0.03) && _replays.Count > 0)
        {
            var (replayTo, life, replay) = _replays[random.Next(_replays.Count)];
            Later(replayTo, life, replay);
        }
    }

    /// <summary>
    /// Old messages reach later lives of a process, too, unless its disk was damaged between: then the process must know that what
    /// it hears was said to it, and that a connection proves.
    /// </summary>
    private void Later(SimulatedNode to, int life, PeerMessage message)
    {
        var delay = Latency() * (cluster.Random.Chance(0.1) ? cluster.Random.Next(2, 50) : 1);
        cluster.Events.After(delay, () =>
        {
            if (IsHostile && life >= to.DamagedLife)
            {
                to.Deliver(message);
            }
        });
    }

    private void Connect(SimulatedNode opener, SimulatedNode acceptor)
    {
        var pause = cluster.Random.Next(cluster.Scenario.ElectionTimeoutMin / 100, cluster.Scenario.ElectionTimeoutMin / 10);
        cluster.Events.After(pause, () =>
        {
            var isOpen = _connections.TryGetValue((opener.Id, acceptor.Id), out var present) && present.IsCurrent(toAcceptor: false);
            var canOpen = opener.Core is not null && acceptor.Core is not null && !opener.IsPaused && !acceptor.IsPaused
                && (!cluster.Scenario.ConnectsMembersOnly || opener.WantedPeers.Contains(acceptor.Id))
                && !IsBlocked(opener, acceptor) && !IsBlocked(acceptor, opener);
            if (!isOpen && canOpen)
            {
                Open(opener, acceptor);
            }

            Connect(opener, acceptor);
        });
    }

    private void Open(SimulatedNode opener, SimulatedNode acceptor)
    {
        var connection = new Connection(opener, acceptor, ++_number);
        _connections[(opener.Id, acceptor.Id)] = connection;
        _inbound.RemoveAll(old => !old.IsOpenAtAcceptor && !old.IsOpenAtOpener);
        _inbound.Add(connection);
        var core = acceptor.Core!;
        var state = core.Role == RaftRole.Passive ? PeerState.Fresh : core.HasLoss ? PeerState.Loss : PeerState.Normal;
        var hello = new PeerHello(acceptor.Disk.Member.StorageId, state, core.Term, core.Epochs.Last.Term, core.End);
        cluster.Events.After(Latency(), () =>
        {
            if (connection.IsCurrent(toAcceptor: false))
            {
                opener.Post("session opened", (node, now) =>
                {
                    if (node.Role == RaftRole.Leader && node.Peers.FirstOrDefault(peer => peer.Node == acceptor.Id).Match < hello.End
                        && hello.End <= node.End && node.Epochs.TermBefore(hello.End) == hello.LastTerm)
                    {
                        cluster.Marks.Reach("probe at the peer's own end");
                    }

                    node.SessionOpened(now, acceptor.Id, connection.Number, hello);
                });
            }
        });
    }

    private void CloseEnd(Connection connection, bool atOpener, SessionCloseReason reason)
    {
        if (atOpener && connection.IsOpenAtOpener)
        {
            var isCurrent = connection.IsCurrent(toAcceptor: false);
            connection.IsOpenAtOpener = false;
            if (isCurrent && reason != SessionCloseReason.Local)
            {
                connection.Opener.Post(
                    "outbound closed",
                    (core, now) => core.SessionClosed(now, connection.Acceptor.Id, connection.Number, reason));
            }
        }
        else if (!atOpener && connection.IsOpenAtAcceptor)
        {
            var isCurrent = connection.IsCurrent(toAcceptor: true);
            connection.IsOpenAtAcceptor = false;
            if (isCurrent && reason != SessionCloseReason.Local)
            {
                connection.Acceptor.InboundClosed(connection.Opener.Id, connection.Number, reason);
            }
        }
    }

    private long Latency() => cluster.Random.NextInterval(cluster.Scenario.Latency);

    private long RandomTimeout() =>
        cluster.Random.Next(cluster.Scenario.ElectionTimeoutMin / 2, 3 * cluster.Scenario.ElectionTimeoutMin);
}
