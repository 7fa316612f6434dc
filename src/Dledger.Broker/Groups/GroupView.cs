namespace Dledger.Broker.Groups;

/// <summary>A consumer group as it exists: an immutable snapshot, any thread.</summary>
public sealed record GroupView(
    int Id,
    string Name,
    bool Fifo,
    int MaxAttempts,
    BackoffPolicy Backoff,
    GroupStart Start,
    long CreatedAtMicroseconds);
