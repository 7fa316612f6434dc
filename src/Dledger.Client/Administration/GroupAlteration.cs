namespace Dledger.Client.Administration;

/// <summary>What shall be different about a consumer group; null, or empty for the waits, leaves a thing as it is.</summary>
/// <param name="Name">The group.</param>
public sealed record GroupAlteration(string Name)
{
    /// <summary>Deliveries before a message becomes a dead letter, 1 to 10,000.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>Waits between deliveries, at most 64.</summary>
    public IReadOnlyList<TimeSpan> Backoff { get; init; } = [];

    /// <summary>What happens when clients ask with different filters.</summary>
    public FilterMismatch? Mismatch { get; init; }

    /// <summary>How it treats its messages.</summary>
    public GroupModes Modes { get; init; } = new();

    /// <summary>What it remembers of processed messages; another key forgets them.</summary>
    public GroupDedup Dedup { get; init; } = new();
}
