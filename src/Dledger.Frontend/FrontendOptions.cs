using Dledger.Primitives;

namespace Dledger.Frontend;

/// <summary>What the front end of a node needs to know. Immutable.</summary>
public sealed record FrontendOptions
{
    /// <summary>This node.</summary>
    public required NodeId Self { get; init; }

    /// <summary>All nodes of the cluster, this one among them.</summary>
    public required IReadOnlyList<FrontendNode> Nodes { get; init; }

    /// <summary>Stable name of the replication group; the broker name of every route.</summary>
    public string GroupName { get; init; } = "dledger-0";

    /// <summary>When a copy counts as durable here, as the option has it, such as <c>QUORUM_SYNC</c>; shown to operators.</summary>
    public string FlushMode { get; init; } = "";

    /// <summary>The largest message body in bytes; clients are told it in their settings.</summary>
    public int BodyBytesMax { get; init; } = Broker.Naming.Limits.BodyBytesMax;

    /// <summary>The longest wait of a receive.</summary>
    public TimeSpan LongPollMax { get; init; } = Broker.Naming.Limits.LongPollMax;

    /// <summary>How many messages push consumers are told to ask for at once; 1..32.</summary>
    public int ReceiveBatchCount { get; init; } = Broker.Naming.Limits.ReceiveBatchMax;

    /// <summary>The longest time from a request to its answer, waiting for a leader and for the confirmation of the
    /// cluster; a nearer deadline of the caller shortens it. Long polls are apart.</summary>
    public TimeSpan CallTimeMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>An answer leaves this long before the caller's deadline, so that it arrives in time.</summary>
    public TimeSpan ReplyMargin { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>An empty receive ends this long before the caller's deadline, or a quarter of it when that is
    /// less.</summary>
    public TimeSpan LongPollMargin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>When settings are repeated after the first answer of a telemetry stream. Clients of Node.js that open
    /// the stream before their last route has arrived miss the first answer.</summary>
    public IReadOnlyList<TimeSpan> SettingsRepeats { get; init; } =
        [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)];

    /// <summary>Queues of a topic that is created without a number.</summary>
    public int QueueCountDefault { get; init; } = 8;

    /// <summary>Other nodes are reached by TLS; their certificates are not checked.</summary>
    public bool ForwardsByTls { get; init; }

    /// <summary>The largest request and answer between nodes, in bytes.</summary>
    public int RequestBytesMax { get; init; } = 130 << 20;

    /// <summary>What may be changed about logging while the node runs; null when that is not this process's to decide.</summary>
    public LogLevels? LogLevels { get; init; }

    /// <summary>The entry of <see cref="Nodes"/> with this number, or null.</summary>
    public FrontendNode? FindNode(NodeId id) => Nodes.FirstOrDefault(node => node.Id == id);
}
