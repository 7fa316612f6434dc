using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Peers;
using Dledger.Replication.Members;
using Dledger.Replication.Peers;
using Dledger.Storage.Metadata;

namespace Dledger.Replication.Driving;

/// <summary>The own outbound connections that are open, and what the core hears of them. Replication loop.</summary>
internal sealed class PeerSessions(NodeId self, Genesis genesis, RaftCore core, IPeerTransport transport)
{
    private static readonly IReadOnlyList<ReadOnlyMemory<byte>> NoRange = [];

    private readonly Dictionary<NodeId, (long Session, ConnectedPeer Peer)> _open = [];
    private readonly Dictionary<NodeId, string> _refusals = [];

    /// <summary>Why nodes that are dialled do not let this one in, by their own words; a copy.</summary>
    public IReadOnlyDictionary<NodeId, string> Refusals => new Dictionary<NodeId, string>(_refusals);

    /// <summary>Counts what came and went.</summary>
    public int Version { get; private set; }

    /// <summary>Who is at the other end of the open connections; a copy.</summary>
    public IReadOnlyDictionary<NodeId, ConnectedPeer> Connected =>
        _open.ToDictionary(entry => entry.Key, entry => entry.Value.Peer);

    /// <summary>A connection is open. A node without genesis is offered one and is nothing to the core until it has it.</summary>
    /// <param name="now">The time.</param>
    /// <param name="opened">The connection.</param>
    /// <param name="durableTerm">The newest term that a message may reveal.</param>
    public void Opened(long now, OutboundOpened opened, Term durableTerm)
    {
        var introduction = opened.Introduction;
        var isFresh = introduction.State == PeerState.Fresh;
        Version++;
        _refusals.Remove(introduction.Node);
        _open[introduction.Node] = (opened.Session, new ConnectedPeer(introduction.StorageId, isFresh));
        if (isFresh)
        {
            // It keeps the offer and dials again; a new Hello tells.
            var offer = new GenesisOffer
            {
                From = self,
                Session = opened.Session,
                Term = durableTerm,
                Genesis = genesis,
            };
            transport.Send(introduction.Node, offer, NoRange);
            return;
        }

        var hello = new PeerHello(
            introduction.StorageId, introduction.State, introduction.Term, introduction.LastTerm, introduction.End);
        core.SessionOpened(now, introduction.Node, opened.Session, hello);
    }

    /// <summary>A connection is gone; the core ignores those that it never met.</summary>
    public void Closed(long now, OutboundClosed closed)
    {
        Version++;
        if (_open.TryGetValue(closed.Peer, out var open) && open.Session == closed.Session)
        {
            _open.Remove(closed.Peer);
        }

        core.SessionClosed(now, closed.Peer, closed.Session, closed.Reason);
    }

    /// <summary>A node answered the dial with a refusal.</summary>
    public void Refused(DialWasRefused refused)
    {
        Version++;
        _refusals[refused.Peer] = refused.Reason;
    }
}
