using Dledger.Primitives;
using Dledger.Raft.Peers;
using Dledger.Replication.Driving;
using Dledger.Replication.Peers;
using Dledger.Storage.Metadata;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication.Bootstrapping;

/// <summary>
/// The life of a node without genesis: the member with the lowest id founds the cluster, the others are told.
/// </summary>
/// <remarks>
/// The lowest waits until it has met every configured member and all are fresh; so no member that holds data can be
/// passed over (raft-and-storage.md 2.8). A node that has a genesis offers it to each fresh member that it meets, which
/// also finishes a bootstrap in whose middle a node died. A node that the genesis does not name with its present directory, be
/// it new or wiped, takes it as well: it is then no member, counts for nothing and waits for a leader to add it. Runs on the
/// replication thread.
/// </remarks>
internal sealed class GenesisFounder(
    ReplicationOptions options,
    MetaFile meta,
    IdGenerator ids,
    LoopInbox inbox,
    IPeerTransport transport,
    Action<string> publishReason,
    ILogger logger)
{
    private readonly Dictionary<NodeId, OutboundOpened> _sessions = [];
    private readonly Dictionary<NodeId, string> _refusals = [];
    private List<LoopEvent> _events = [];
    private bool _isStopped;

    /// <summary>Outbound sessions that are still open.</summary>
    public IReadOnlyList<OutboundOpened> OpenSessions => [.. _sessions.Values];

    /// <summary>Handles what has come; says whether the meta file holds a genesis now.</summary>
    public Founding Turn()
    {
        if (inbox.TryTakeEvents(ref _events) && TakeOffer() is { } offered)
        {
            Keep(offered);

            // The peers still know this node as fresh; a new Hello on each connection tells them.
            _sessions.Clear();
            transport.CloseAll("this node has become a member");
            return Founding.Done;
        }

        if (_isStopped)
        {
            return Founding.Stopped;
        }

        if (IsFounder() && Others().All(IsFresh))
        {
            Keep(Found());
            return Founding.Done;
        }

        publishReason(DescribeWait());
        return Founding.Waits;
    }

    private IEnumerable<NodeId> Others() =>
        options.Members.Select(member => member.Node).Where(node => node != options.Self);

    private bool IsFounder() => Others().All(node => node.Value > options.Self.Value);

    private bool IsFresh(NodeId node) =>
        _sessions.TryGetValue(node, out var session) && session.Introduction.State == PeerState.Fresh;

    private Genesis Found()
    {
        var voters = options.Members
            .Select(member => new GenesisVoter(member.Node, StorageOf(member.Node)))
            .OrderBy(voter => voter.Node);
        return new Genesis(ids.NextId(), [.. voters]);
    }

    private Guid StorageOf(NodeId node) =>
        node == options.Self ? meta.Current.StorageId : _sessions[node].Introduction.StorageId;

    private void Keep(Genesis genesis)
    {
        meta.Write(meta.Current with { Genesis = genesis });
        ReplicationEvents.GenesisKept(logger, options.Self, genesis.ClusterId);
    }

    // All events are handled even when an offer is among them: sessions that ended meanwhile must not be kept.
    private Genesis? TakeOffer()
    {
        Genesis? offered = null;
        foreach (var item in _events)
        {
            switch (item)
            {
                case OutboundOpened opened:
                    _sessions[opened.Introduction.Node] = opened;
                    _refusals.Remove(opened.Introduction.Node);
                    break;
                case OutboundClosed closed when _sessions.TryGetValue(closed.Peer, out var open):
                    if (open.Session == closed.Session)
                    {
                        _sessions.Remove(closed.Peer);
                    }

                    break;
                case DialWasRefused refused:
                    _refusals[refused.Peer] = refused.Reason;
                    break;
                case MessageArrived { Message: GenesisOffer offer }:
                    offered ??= offer.Genesis;
                    break;
                case StopRequested:
                    _isStopped = true;
                    break;
                default:
                    item.Refuse("this node is no part of a cluster yet");
                    break;
            }
        }

        return offered;
    }

    private string DescribeWait()
    {
        var missing = Others().Where(node => !IsFresh(node)).Select(Describe).ToList();
        return missing.Count == 0 || !IsFounder()
            ? $"no cluster yet: waits to be told by a member, or to be added with 'dledger node add'{Listed(_refusals.Keys.Select(Describe))}"
            : $"no cluster yet: waits for all members to be reachable and new{Listed(missing)}";
    }

    private string Describe(NodeId node) =>
        _refusals.TryGetValue(node, out var reason) ? $"node {node}: {reason}"
        : _sessions.ContainsKey(node) ? $"node {node} belongs to a cluster already"
        : $"node {node} is not reachable";

    private static string Listed(IEnumerable<string> items)
    {
        var text = string.Join("; ", items);
        return text.Length == 0 ? "" : $" ({text})";
    }
}
