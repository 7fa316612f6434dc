namespace Dledger.Client.Administration;

/// <summary>What happens when clients of one group ask for one topic with different filters.</summary>
public enum FilterMismatch
{
    /// <summary>Each gets what its filter wants, nothing is skipped that one of them may want, and everybody is told.</summary>
    Report,

    /// <summary>The client that differs from those that are there already is refused.</summary>
    Reject,
}
