namespace Dledger.Broker.Idempotence;

/// <summary>How long and how many message ids a topic remembers. The default remembers none.</summary>
/// <param name="Microseconds">Log time for which a message is known by its id; 0: the topic has no window.</param>
/// <param name="Count">Most ids remembered; above it the oldest are forgotten first. 0: the usual number.</param>
public readonly record struct IdWindowSettings(long Microseconds, long Count)
{
    /// <summary>What <see cref="Count"/> is when nobody chose it.</summary>
    public const int CountDefault = 100_000;

    /// <summary>Whether the topic remembers anything.</summary>
    public bool IsOn => Microseconds > 0;

    /// <summary><see cref="Microseconds"/>; null without a window.</summary>
    public TimeSpan? Time => IsOn ? TimeSpan.FromMicroseconds(Microseconds) : null;

    /// <summary>Most ids remembered; 0 without a window.</summary>
    public long CountMax => IsOn ? Count == 0 ? CountDefault : Count : 0;
}
