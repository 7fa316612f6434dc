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

    /// <summary>Not null for a member group: the part of a broadcast group that belongs to one client.</summary>
    public Membership? Member { get; init; }

    /// <summary>Its name, for a member with the client; for people.</summary>
    public string DisplayName => Member is { } member ? $"{Name} (client {Naming.Names.Printable(member.ClientId)})" : Name;

    /// <inheritdoc cref="GroupSettings.MaxAttempts"/>
    public int MaxAttempts => Settings.MaxAttempts;

    /// <inheritdoc cref="GroupSettings.Backoff"/>
    public BackoffPolicy Backoff => Settings.Backoff;
}
