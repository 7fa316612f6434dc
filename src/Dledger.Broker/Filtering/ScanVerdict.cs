using System.Collections.Frozen;
using Dledger.Broker.Commands;

namespace Dledger.Broker.Filtering;

/// <summary>What the caller found in the records of a scan.</summary>
/// <param name="Scan">The scan that it ends.</param>
/// <param name="Queues">What to hand out and what to skip, by ascending queue id.</param>
/// <param name="LeasedCount">Messages to hand out.</param>
/// <param name="Left">What this filter does not want and another one may.</param>
/// <param name="FiltersVersion">The group's filters that it was judged by.</param>
internal sealed record ScanVerdict(
    ScanGrant Scan,
    IReadOnlyList<LeaseQueue> Queues,
    int LeasedCount,
    IReadOnlyList<(int QueueId, long Offset)> Left,
    long FiltersVersion)
{
    /// <summary>The queues say the keys of what to hand out.</summary>
    public bool HasKeys { get; init; }

    /// <summary>
    /// Records that could not be read, so that their keys are not known. They are leased like every message that cannot be read, but not
    /// delivered by this lease, even where they can be read a moment later.
    /// </summary>
    public IReadOnlySet<(int QueueId, long Offset)> Unreadable { get; init; } = FrozenSet<(int QueueId, long Offset)>.Empty;
}
