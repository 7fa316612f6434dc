using Dledger.Primitives;

namespace Dledger.Replication;

/// <summary>The own log as recovery found it: what a state checkpoint must fit.</summary>
public interface IRecoveredLog
{
    /// <summary>The own log is durable up to here.</summary>
    LogPosition DurableEnd { get; }

    /// <summary>
    /// Applied position of a snapshot of another node that was installed: this state alone may lie beyond the log's end, whose missing
    /// part is on its way. Null when none is.
    /// </summary>
    LogPosition? InstalledState { get; }

    /// <summary>
    /// Whether a frame with that header checksum ends at the position. The chain makes two logs equal up to where it is
    /// equal, so a checkpoint with another one describes another history (invariant I28).
    /// </summary>
    bool Holds(LogPosition end, uint headerCrc);
}
