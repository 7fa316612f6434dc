using Dledger.Broker.Deduplication;
using Dledger.Broker.Filtering;

namespace Dledger.Broker.Groups;

/// <summary>What shall be different about an existing consumer group; null leaves a thing as it is.</summary>
public sealed record GroupChange
{
    public required string Name { get; init; }

    /// <summary>See <see cref="GroupSettings.MaxAttempts"/>.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>See <see cref="GroupSettings.Backoff"/>.</summary>
    public BackoffPolicy? Backoff { get; init; }

    /// <summary>See <see cref="GroupSettings.Mismatch"/>.</summary>
    public MismatchPolicy? Mismatch { get; init; }

    /// <summary>See <see cref="GroupSettings.HasMixedFilters"/>.</summary>
    internal bool? HasMixedFilters { get; init; }

    /// <summary>See <see cref="GroupSettings.Poison"/>.</summary>
    public PoisonMode? Poison { get; init; }

    /// <summary>See <see cref="GroupSettings.BackoffOnExpiry"/>.</summary>
    public bool? BackoffOnExpiry { get; init; }

    /// <summary>See <see cref="GroupSettings.AckMode"/>.</summary>
    public AckMode? AckMode { get; init; }

    /// <summary>See <see cref="GroupSettings.Exclusive"/>.</summary>
    public bool? Exclusive { get; init; }

    /// <summary>See <see cref="GroupSettings.MaxInFlight"/>.</summary>
    public int? MaxInFlight { get; init; }

    /// <summary>See <see cref="GroupSettings.MaxInFlightPerClient"/>.</summary>
    public int? MaxInFlightPerClient { get; init; }

    /// <summary>See <see cref="GroupSettings.ReceiveQuota"/>; 0 takes the bound away.</summary>
    public long? ReceiveMessagesPerSecond { get; init; }

    /// <inheritdoc cref="ReceiveMessagesPerSecond"/>
    public long? ReceiveBytesPerSecond { get; init; }

    /// <summary>See <see cref="GroupSettings.LiteSubscriptionQuota"/>. A larger set that a client has already stays.</summary>
    public int? LiteSubscriptionQuota { get; init; }

    /// <summary>See <see cref="GroupSettings.Expiry"/>.</summary>
    public ExpiryMode? Expiry { get; init; }

    /// <summary>See <see cref="GroupSettings.Broadcast"/>: it never changes, so anything else than what it is gets refused.</summary>
    public bool? Broadcast { get; init; }

    /// <summary>See <see cref="GroupSettings.MemberExpiry"/>.</summary>
    public TimeSpan? MemberExpiry { get; init; }

    /// <summary>See <see cref="GroupSettings.Dedup"/>; another one forgets what was processed.</summary>
    public DedupSource? DedupSource { get; init; }

    /// <summary>See <see cref="DedupSettings.Property"/>; empty unless given with <see cref="DedupSource"/>.</summary>
    public string? DedupProperty { get; init; }

    /// <summary>See <see cref="DedupSettings.Window"/>; zero: the usual one.</summary>
    public TimeSpan? DedupWindow { get; init; }

    /// <summary>See <see cref="DedupSettings.CountMax"/>; 0: the usual number.</summary>
    public long? DedupCount { get; init; }
}
