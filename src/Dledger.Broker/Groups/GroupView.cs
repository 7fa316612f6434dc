namespace Dledger.Broker.Groups;

/// <summary>A consumer group as it exists: an immutable snapshot, any thread.</summary>
/// <param name="Id">The number that records carry; never used twice.</param>
/// <param name="Name">Its name.</param>
/// <param name="Fifo">Whether it consumes in order.</param>
/// <param name="Start">Where it begins in a topic.</param>
/// <param name="CreatedAtMicroseconds">Log time of its creation.</param>
/// <param name="Settings">What can be changed.</param>
public sealed record GroupView(
    int Id, string Name, bool Fifo, GroupStart Start, long CreatedAtMicroseconds, GroupSettings Settings)
{
    /// <summary>Not null while the group is paused.</summary>
    public GroupPause? Pause { get; init; }

    /// <inheritdoc cref="GroupSettings.MaxAttempts"/>
    public int MaxAttempts => Settings.MaxAttempts;

    /// <inheritdoc cref="GroupSettings.Backoff"/>
    public BackoffPolicy Backoff => Settings.Backoff;
}
