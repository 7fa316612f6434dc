using Dledger.Primitives;

namespace Dledger.Storage.Logs;

/// <summary>What one step of a <see cref="LogScrubber"/> did and found.</summary>
/// <param name="ReadBytes">Bytes read; 0 when there is nothing to read.</param>
/// <param name="Damage">A damaged range, for <see cref="CommitLog.RepairRange"/> with bytes of a peer.</param>
/// <param name="DamagedHeader">
/// Base of a segment whose header page is damaged, for <see cref="CommitLog.RepairHeader"/>.
/// </param>
/// <param name="IsPassComplete">Whether the last sealed segment was read to its end.</param>
public readonly record struct ScrubStep(
    long ReadBytes, DamagedRange? Damage, LogPosition? DamagedHeader, bool IsPassComplete);
