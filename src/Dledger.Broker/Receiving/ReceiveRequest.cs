using Dledger.Broker.Filtering;
using Dledger.Primitives;

namespace Dledger.Broker.Receiving;

/// <summary>One receive call.</summary>
public sealed record ReceiveRequest
{
    public required string Group { get; init; }

    /// <summary>Read from all queues of this topic.</summary>
    public required string Topic { get; init; }

    public MessageFilter Filter { get; init; } = MessageFilter.All;

    /// <summary>
    /// Most messages to answer; below 1 counts as 1, above <see cref="BatchSizeMax"/> as that.
    /// </summary>
    public int BatchSize { get; init; } = 1;

    /// <summary><see cref="Naming.Limits.ReceiveBatchMax"/>, or <see cref="Naming.Limits.StreamBatchMax"/> for streams.</summary>
    public int BatchSizeMax { get; init; } = Naming.Limits.ReceiveBatchMax;

    /// <summary>
    /// Bytes of records at which an answer ends; at least <see cref="Naming.Limits.BatchRecordBytesMax"/>, so that no message is too large.
    /// </summary>
    public long BytesMax { get; init; } = long.MaxValue;

    /// <summary>How long the messages stay invisible. Ignored with <see cref="AutoRenew"/>.</summary>
    public TimeSpan InvisibleDuration { get; init; }

    /// <summary>The broker keeps the messages invisible while the client is alive, at most 3 hours.</summary>
    public bool AutoRenew { get; init; }

    /// <summary>How long to wait for the first message; zero answers at once.</summary>
    public TimeSpan LongPoll { get; init; }

    public string ClientId { get; init; } = "";

    /// <summary>The caller calls <see cref="ReceiveOutcome.Return"/> when it has passed the messages on.</summary>
    public bool ReturnsRecords { get; init; }

    /// <summary>
    /// With what whole batches may be compressed in the answer; nothing: messages are. A caller that names something takes what came with
    /// <see cref="ReceiveOutcome.CopyTo"/> and looks at no message.
    /// </summary>
    public IReadOnlyList<Compression> Unpacks { get; init; } = [];

    /// <summary>A repeated call with the same id gets the same messages while they are leased.</summary>
    public string? AttemptId { get; init; }
}
