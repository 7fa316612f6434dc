namespace Dledger.Broker.Transactions;

/// <summary>A transaction as operators see it: an immutable snapshot, any thread.</summary>
public sealed record TransactionView
{
    /// <summary>The text that producers know.</summary>
    public required string TransactionId { get; init; }

    public required string Topic { get; init; }

    /// <summary>The producer's id of its first message.</summary>
    public required string MessageId { get; init; }

    public required int MessageCount { get; init; }

    /// <summary>Log time in microseconds since 1970 (UTC).</summary>
    public required long StoredAtMicroseconds { get; init; }

    /// <summary>How often its producers were asked.</summary>
    public required int Checks { get; init; }

    /// <summary>Log time of the next check; null when it is not open.</summary>
    public long? NextCheckAtMicroseconds { get; init; }

    /// <summary>None while it is open.</summary>
    public TransactionDecision Decision { get; init; }

    /// <summary>Who decided.</summary>
    public TransactionDecider Decider { get; init; }

    /// <summary>Log time of the decision; null while it is open.</summary>
    public long? DecidedAtMicroseconds { get; init; }
}
