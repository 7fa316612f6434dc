using Dledger.Chaos.Clusters;
using Dledger.Chaos.Histories;

namespace Dledger.Chaos.Workers;

/// <summary>What all workers of a run share. Immutable but for the phase.</summary>
internal sealed class Workload(ChaosCluster cluster, HistoryRecorder recorder, int seed)
{
    /// <summary>Deadline of one attempt; that of the official clients.</summary>
    public static readonly TimeSpan AttemptTimeMax = TimeSpan.FromSeconds(3);

    /// <summary>Attempts of one send.</summary>
    public const int AttemptCountMax = 3;

    /// <summary>Longest that any operation may take: all attempts, and what a busy machine adds.</summary>
    public static readonly TimeSpan OperationTimeMax = (AttemptCountMax * AttemptTimeMax) + TimeSpan.FromSeconds(4);

    public const string Topic = "chaos";

    public const int QueueCount = 4;

    /// <summary>The groups that work, with the deliveries that a message gets.</summary>
    public static readonly IReadOnlyDictionary<string, int> Groups =
        new Dictionary<string, int> { ["billing"] = 17, ["mailing"] = 3 };

    private volatile bool _isDraining;
    private volatile string? _stuckGroup;

    public ChaosCluster Cluster { get; } = cluster;

    public HistoryRecorder Recorder { get; } = recorder;

    /// <summary>Consumers acknowledge everything from now on.</summary>
    public bool IsDraining
    {
        get => _isDraining;
        set => _isDraining = value;
    }

    /// <summary>The group whose consumers answer nothing for now; null: none.</summary>
    public string? StuckGroup
    {
        get => _stuckGroup;
        set => _stuckGroup = value;
    }

    /// <summary>Connections of one client to every node.</summary>
    public NodeClient[] Connect(string clientId) => [.. Cluster.Nodes.Select(node => new NodeClient(node.Place, clientId))];

    /// <summary>Randomness of one worker, fixed by the seed of the run.</summary>
    public Random RandomOf(string worker) => new(seed ^ (int)Crc.Of(System.Text.Encoding.ASCII.GetBytes(worker), Crc.Ieee));

    /// <summary>A message that the group with few attempts never acknowledges.</summary>
    public static bool IsPoison(string id) =>
        Crc.Of(System.Text.Encoding.ASCII.GetBytes(id), Crc.Ieee) % 251 == 0;
}
