namespace Dledger.Broker.Groups;

/// <summary>What can be changed about a consumer group: an immutable snapshot, any thread.</summary>
public sealed record GroupSettings
{
    public static readonly GroupSettings Default = new();

    /// <summary>After this many deliveries without acknowledgement a message moves to the dead letter topic.</summary>
    public int MaxAttempts { get; init; } = 17;

    public BackoffPolicy Backoff { get; init; } = BackoffPolicy.Default;
}
