namespace Dledger.Bench.Running;

/// <summary>The time of a run, and how its loads wait for a moment of it. Tests have one that does not really wait.</summary>
public interface IBenchClock
{
    /// <summary>Nanoseconds since some moment; never goes back.</summary>
    long Now { get; }

    /// <summary>Ends at a moment or soon after it; at once when it is over.</summary>
    ValueTask WaitUntilAsync(long time, CancellationToken cancellationToken);
}
