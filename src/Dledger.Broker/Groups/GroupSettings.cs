using Dledger.Broker.Filtering;

namespace Dledger.Broker.Groups;

/// <summary>What can be changed about a consumer group: an immutable snapshot, any thread.</summary>
public sealed record GroupSettings
{
    public static readonly GroupSettings Default = new();

    /// <summary>After this many deliveries without acknowledgement a message moves to the dead letter topic.</summary>
    public int MaxAttempts { get; init; } = 17;

    public BackoffPolicy Backoff { get; init; } = BackoffPolicy.Default;

    /// <summary>What happens when its clients ask for one topic with different filters.</summary>
    public MismatchPolicy Mismatch { get; init; }

    /// <summary>
    /// Its clients did so lately. Set and taken back by the leader, for the next one: that does not know the clients yet and must not
    /// skip what one of them may want.
    /// </summary>
    public bool HasMixedFilters { get; init; }
}
