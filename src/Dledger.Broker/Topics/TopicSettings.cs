using Dledger.Broker.Idempotence;

namespace Dledger.Broker.Topics;

/// <summary>What can be changed about a topic beside its queues and types: an immutable snapshot, any thread.</summary>
public sealed record TopicSettings
{
    public static readonly TopicSettings Default = new();

    /// <summary>What it keeps by its own wish.</summary>
    public TopicRetention Retention { get; init; }

    /// <summary>Which message ids it remembers.</summary>
    public IdWindowSettings IdWindow { get; init; }
}
