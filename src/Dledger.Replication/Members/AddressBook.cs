using Dledger.Primitives;

namespace Dledger.Replication.Members;

/// <summary>Where the nodes of the cluster are reached. Raft's core knows only numbers and storages.</summary>
/// <remarks>
/// For the other nodes, what the options of this node say counts before what a request said, and that before what the
/// newest record says: an operator who moves a node writes its new address into the options. Safe for any thread.
/// </remarks>
internal sealed class AddressBook
{
    private readonly Lock _lock = new();
    private readonly Dictionary<NodeId, ClusterMember> _configured;
    private readonly Dictionary<NodeId, ClusterMember> _requested = [];
    private readonly Dictionary<NodeId, (LogPosition Position, ClusterMember Member)> _recorded = [];
    private readonly Dictionary<NodeId, string> _clients = [];
    private int _version;

    public AddressBook(ReplicationOptions options)
    {
        _configured = options.Members.ToDictionary(member => member.Node);
        _clients[options.Self] = options.ClientAddress;
    }

    /// <summary>Changes with what is known.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>All nodes that have an address, members or not; a copy.</summary>
    public IReadOnlyList<NodeId> Nodes
    {
        get
        {
            lock (_lock)
            {
                return [.. _configured.Keys.Concat(_requested.Keys).Concat(_recorded.Keys).Distinct().Order()];
            }
        }
    }

    /// <summary>Where the others reach a node; null when nobody said.</summary>
    public ClusterMember? Find(NodeId node)
    {
        lock (_lock)
        {
            return _configured.GetValueOrDefault(node)
                ?? _requested.GetValueOrDefault(node)
                ?? _recorded.GetValueOrDefault(node).Member;
        }
    }

    /// <summary>The address as the options of this node have it; null when they do not name the node.</summary>
    public ClusterMember? FindConfigured(NodeId node) => _configured.GetValueOrDefault(node);

    /// <summary>The same for a configuration record.</summary>
    public MemberPlace PlaceOf(NodeId node) =>
        Find(node) is { } member ? new MemberPlace(node, member.Host, member.PeerPort) : new MemberPlace(node, "", 0);

    /// <summary>Where clients reach a node; empty when it never said.</summary>
    public string ClientAddressOf(NodeId node)
    {
        lock (_lock)
        {
            return _clients.GetValueOrDefault(node, "");
        }
    }

    /// <summary>An operator named a node's address.</summary>
    public void Request(ClusterMember member)
    {
        lock (_lock)
        {
            _requested[member.Node] = member;
            _version++;
        }
    }

    /// <summary>A configuration record names addresses; a record further back in the log changes nothing.</summary>
    public void Learn(LogPosition position, IReadOnlyList<MemberPlace> places)
    {
        lock (_lock)
        {
            foreach (var place in places)
            {
                var isNewer = !_recorded.TryGetValue(place.Node, out var known) || known.Position <= position;
                if (isNewer && place.Host.Length > 0)
                {
                    _version++;
                    _recorded[place.Node] = (position, new ClusterMember(place.Node, place.Host, place.PeerPort));
                }
            }
        }
    }

    /// <summary>A node said where clients reach it.</summary>
    public void LearnClient(NodeId node, string address)
    {
        lock (_lock)
        {
            if (address.Length > 0 && _clients.GetValueOrDefault(node) != address)
            {
                _version++;
                _clients[node] = address;
            }
        }
    }
}
