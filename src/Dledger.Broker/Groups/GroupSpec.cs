namespace Dledger.Broker.Groups;

/// <summary>A consumer group as asked for.</summary>
public sealed record GroupSpec
{
    public required string Name { get; init; }

    /// <summary>Whether each queue is handed to one receiver at a time, in order.</summary>
    public bool Fifo { get; init; }

    /// <summary>After this many deliveries without acknowledgement a message moves to the dead letter topic.</summary>
    public int MaxAttempts { get; init; } = 17;

    public BackoffPolicy Backoff { get; init; } = BackoffPolicy.Default;

    /// <summary>Where the group begins in a topic; null: what <see cref="BrokerOptions.NewGroupStart"/> says.</summary>
    public GroupStart? Start { get; init; }
}
