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
}
