using Dledger.Primitives;

namespace Dledger.Server.Options;

/// <summary>Everything that can be said about a node before it starts. Immutable; the defaults make one node.</summary>
/// <remarks>Read from a file, the environment and the command line by <see cref="ServerOptionsReader"/>, in that order.
/// The keys, with ranges, are listed in <see cref="OptionKeys.All"/>.</remarks>
public sealed record ServerOptions
{
    /// <summary><c>nodeId</c>: number of this node, 1..255, one of <c>nodes</c> when those are given.</summary>
    public NodeId NodeId { get; init; } = new(1);

    /// <summary><c>dataDirectory</c>: where the node keeps everything; made when absent. Never shared by two nodes.
    /// </summary>
    public string DataDirectory { get; init; } = "dledger-data";

    /// <summary><c>peerListenAddress</c>: IP address for the other nodes; the port is that of this node in
    /// <c>nodes</c>.</summary>
    public string PeerListenAddress { get; init; } = "0.0.0.0";

    /// <summary>
    /// <c>nodes</c>: where nodes are reached, this one among them, 0..9 entries. They found the cluster when none has data
    /// yet; from then on the log says who is a member. Empty: this node alone, for ever.
    /// </summary>
    public IReadOnlyList<NodeAddress> Nodes { get; init; } = [];

    /// <summary><c>client.*</c>: the port that clients use.</summary>
    public ClientOptions Client { get; init; } = new();

    /// <summary><c>storage.*</c>: the replicated log on disk.</summary>
    public StorageOptions Storage { get; init; } = new();

    /// <summary><c>raft.*</c>: times of the replication group.</summary>
    public RaftTimingOptions Raft { get; init; } = new();

    /// <summary>
    /// <c>cluster.autoReplace</c>: a leader replaces a voter that comes back with another data directory, one at a time.
    /// </summary>
    public bool AutoReplace { get; init; } = true;

    /// <summary><c>topics.*</c>: what happens to names that nobody created.</summary>
    public TopicOptions Topics { get; init; } = new();

    /// <summary><c>limits.*</c>: what one client may ask for.</summary>
    public LimitOptions Limits { get; init; } = new();

    /// <summary>Every problem at once, each naming key and allowed range; empty when the node can start.</summary>
    public IReadOnlyList<string> Validate() => ServerOptionsRules.Check(this);
}
