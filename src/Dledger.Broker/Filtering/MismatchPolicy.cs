namespace Dledger.Broker.Filtering;

/// <summary>What happens when clients of one group ask for one topic with different filters. Persisted: the numbers never change.</summary>
public enum MismatchPolicy
{
    /// <summary>Each client gets what its filter wants, nothing is skipped that another one may want, and everybody is told.</summary>
    Report = 0,

    /// <summary>The client that differs from those that are there already is refused.</summary>
    Reject = 1,
}
