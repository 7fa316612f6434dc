using Dledger.Primitives;
using Dledger.Storage.Logs;

namespace Dledger.Replication.Applying;

/// <inheritdoc/>
internal sealed class RecoveredLog(CommitLog log, LogPosition? installedState) : IRecoveredLog
{
    /// <inheritdoc/>
    public LogPosition DurableEnd => log.DurableEnd;

    /// <inheritdoc/>
    public LogPosition? InstalledState => installedState;

    /// <inheritdoc/>
    public bool Holds(LogPosition end, uint headerCrc) =>
        end <= log.DurableEnd && log.TryReadChain(end, out var present) && present == headerCrc;
}
