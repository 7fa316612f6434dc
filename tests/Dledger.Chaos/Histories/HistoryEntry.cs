using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Dledger.Chaos.Histories;

/// <summary>One line of a history. Which fields are there depends on <see cref="Function"/>; docs/chaos.md lists them.</summary>
internal sealed record HistoryEntry
{
    /// <summary>Dense index over the whole run.</summary>
    [JsonPropertyName("i")]
    public long Index { get; init; }

    /// <summary>Nanoseconds on the harness's monotonic clock since the run began.</summary>
    [JsonPropertyName("t")]
    public long Time { get; init; }

    /// <summary>Logical worker: at most one open operation; never used again after an <c>info</c>.</summary>
    [JsonPropertyName("w")]
    public string? Worker { get; init; }

    /// <summary><c>invoke</c>, <c>ok</c>, <c>fail</c> (certainly no effect), <c>info</c> (unknown); of faults
    /// <c>start</c>, <c>heal</c>, <c>end</c>, <c>notRun</c>.</summary>
    [JsonPropertyName("y")]
    public string? Phase { get; init; }

    /// <summary><c>send</c>, <c>try</c> (one attempt of a send), <c>pop</c>, <c>ack</c>, <c>nack</c>, <c>renew</c>,
    /// <c>read</c>, <c>maxOffset</c>, <c>groupOffset</c>, <c>fault</c>, <c>node</c>, <c>final</c>.</summary>
    [JsonPropertyName("f")]
    public required string Function { get; init; }

    [JsonPropertyName("T")]
    public string? Topic { get; init; }

    [JsonPropertyName("g")]
    public string? Group { get; init; }

    /// <summary>Unique message id, <c>worker.counter</c>.</summary>
    [JsonPropertyName("id")]
    public string? Id { get; init; }

    /// <summary>Acked queue offset. The protocol does not tell a producer which queue took the message.</summary>
    [JsonPropertyName("off")]
    public long? Offset { get; init; }

    /// <summary>Messages of a read, an ack or a final read.</summary>
    [JsonPropertyName("ms")]
    public IReadOnlyList<Delivery>? Messages { get; init; }

    /// <summary>Pairs of queue and offset.</summary>
    [JsonPropertyName("qs")]
    public IReadOnlyList<long[]>? Offsets { get; init; }

    /// <summary>Invisible duration of a pop or nack in ns.</summary>
    [JsonPropertyName("inv")]
    public long? Invisible { get; init; }

    /// <summary>From when on a pop can have leased its messages, ns; not there: from its invoke on.</summary>
    [JsonPropertyName("since")]
    public long? Since { get; init; }

    /// <summary>The node that was asked, is reported on, or whose files were read.</summary>
    [JsonPropertyName("node")]
    public int? Node { get; init; }

    [JsonPropertyName("term")]
    public long? Term { get; init; }

    /// <summary>Commit position of a node in bytes.</summary>
    [JsonPropertyName("idx")]
    public long? Commit { get; init; }

    /// <summary>Event of a node: <c>start</c>, <c>exit</c>, or its role.</summary>
    [JsonPropertyName("ev")]
    public string? Event { get; init; }

    /// <summary>How often the node was started until then.</summary>
    [JsonPropertyName("life")]
    public int? Life { get; init; }

    /// <summary>Stable code of a failure, or why a fault was not run.</summary>
    [JsonPropertyName("err")]
    public string? Error { get; init; }

    /// <summary>Kind of a fault.</summary>
    [JsonPropertyName("kind")]
    public string? Kind { get; init; }

    /// <summary>Nodes that a fault hits.</summary>
    [JsonPropertyName("on")]
    public IReadOnlyList<int>? On { get; init; }

    /// <summary>What showed that a fault bit.</summary>
    [JsonPropertyName("proof")]
    public JsonObject? Proof { get; init; }

    /// <summary>Whether it did.</summary>
    [JsonPropertyName("bit")]
    public bool? Bit { get; init; }
}
