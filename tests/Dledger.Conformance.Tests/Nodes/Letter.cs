namespace Dledger.Conformance.Tests.Nodes;

/// <summary>Times of the checklist that are too long for every day: five minutes of renewals, six minutes of silence.</summary>
internal static class Letter
{
    /// <summary><c>make conformance</c> sets it; without it a shorter time stands in.</summary>
    private static readonly bool IsKept = Environment.GetEnvironmentVariable("DLEDGER_CONFORMANCE_LONG") == "1";

    public static TimeSpan Of(TimeSpan letter, TimeSpan everyDay) => IsKept ? letter : everyDay;
}
