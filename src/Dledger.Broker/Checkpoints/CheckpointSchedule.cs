using Dledger.Primitives;

namespace Dledger.Broker.Checkpoints;

/// <summary>When the next state checkpoint is due. Owned by the apply loop; reads the clock, never the state.</summary>
internal sealed class CheckpointSchedule(BrokerOptions options, TimeProvider time)
{
    // What a restart would have to apply again; a node that is often restarted comes to neither of the options' bounds.
    private const long ReplayBytesMax = 32L << 20;

    private static readonly TimeSpan ReplayPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(5);

    private LogPosition _last;
    private long _retryAt = long.MinValue;
    private long _lastAt = time.GetTimestamp();

    /// <summary>Where the newest checkpoint stands.</summary>
    public LogPosition Last => _last;

    /// <summary>Whether a state at <paramref name="applied"/> should be written.</summary>
    /// <param name="applied">What the state contains.</param>
    /// <param name="isWaited">Memory that only a checkpoint frees runs short.</param>
    public bool IsDue(LogPosition applied, bool isWaited) =>
        applied > _last
        && time.GetTimestamp() >= _retryAt
        && (isWaited
            || applied - _last >= options.CheckpointBytes
            || time.GetElapsedTime(_lastAt) >= options.CheckpointInterval
            || (applied - _last >= ReplayBytesMax && time.GetElapsedTime(_lastAt) >= ReplayPause));

    /// <summary>It could not be written: the next try comes a while later.</summary>
    public void Postpone() => _retryAt = time.GetTimestamp() + (long)(RetryPause.TotalSeconds * time.TimestampFrequency);

    public void Written(LogPosition position)
    {
        _last = position;
        _lastAt = time.GetTimestamp();
    }
}
