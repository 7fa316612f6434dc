namespace Dledger.Replication.Driving;

/// <summary>
/// Set once, by the first fault of any thread; from then on nothing is promised any more (invariant I32).
/// </summary>
internal sealed class FaultLatch
{
    private string? _reason;

    /// <summary>The first fault, or null.</summary>
    public string? Reason => Volatile.Read(ref _reason);

    /// <summary>Whether a fault was noted.</summary>
    public bool IsSet => Reason is not null;

    /// <summary>Notes a fault; false when there was an earlier one.</summary>
    public bool TrySet(string reason) => Interlocked.CompareExchange(ref _reason, reason, null) is null;
}
