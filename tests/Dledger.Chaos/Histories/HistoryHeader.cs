using System.Text.Json.Serialization;

namespace Dledger.Chaos.Histories;

/// <summary>First line of a history: what ran.</summary>
internal sealed record HistoryHeader
{
    /// <summary>Version of the format.</summary>
    [JsonPropertyName("h")]
    public int Version { get; init; } = 1;

    [JsonPropertyName("run")]
    public string Run { get; init; } = "";

    [JsonPropertyName("seed")]
    public int Seed { get; init; }

    [JsonPropertyName("nodes")]
    public IReadOnlyList<int> Nodes { get; init; } = [];

    /// <summary>Flush mode of the nodes.</summary>
    [JsonPropertyName("mode")]
    public string Mode { get; init; } = "QUORUM_SYNC";

    /// <summary>Consumer groups with the deliveries that a message gets before it is a dead letter.</summary>
    [JsonPropertyName("groups")]
    public IReadOnlyDictionary<string, int> Groups { get; init; } = new Dictionary<string, int>();

    [JsonPropertyName("topic")]
    public string Topic { get; init; } = "";

    [JsonPropertyName("queues")]
    public int Queues { get; init; }

    /// <summary>Longest that an operation may take, in ns.</summary>
    [JsonPropertyName("limit")]
    public long OperationLimit { get; init; }

    /// <summary>Longest time from the end of a fault to the next acked message, in ns.</summary>
    [JsonPropertyName("heal")]
    public long HealLimit { get; init; }

    /// <summary>Acked messages that a run must have to count at all.</summary>
    [JsonPropertyName("minOk")]
    public int AckedMin { get; init; }

    /// <summary>A fault of the run moves the leadership.</summary>
    [JsonPropertyName("leaderChange")]
    public bool ExpectsLeaderChange { get; init; }

    /// <summary>Wall clock at time 0, ms since 1970.</summary>
    [JsonPropertyName("wall0")]
    public long WallClock { get; init; }
}
