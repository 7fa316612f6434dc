using System.Globalization;
using Dledger.Raft;

namespace Dledger.Simulation.Reports;

/// <summary>What the simulator did with one seeded defect.</summary>
/// <param name="Defect">The defect.</param>
/// <param name="SeedCount">Runs until it was found; the whole budget when it was not.</param>
/// <param name="CaughtBy">The invariant that broke, or "core" when the core noticed by itself; null when it was missed.</param>
internal sealed record MutationResult(SeededDefect Defect, ulong SeedCount, string? CaughtBy);

/// <summary>
/// Runs each seeded defect until an invariant breaks. The simulator is trusted only as far as it finds them (3.7 of the design).
/// </summary>
internal static class Mutations
{
    /// <summary>Runs for one defect. The rarest one needs a few hundred.</summary>
    public const ulong SeedCountMax = 5_000;

    /// <summary>Every defect that there is.</summary>
    public static IEnumerable<SeededDefect> All => Enum.GetValues<SeededDefect>().Where(defect => defect != SeededDefect.None);

    /// <summary>Runs one defect from a first seed on.</summary>
    public static MutationResult Find(SeededDefect defect, IReadOnlySet<string>? only = null, ulong start = 1, ulong count = SeedCountMax)
    {
        var campaign = new Campaign(defect, only);
        for (ulong done = 0; done < count; done++)
        {
            if (campaign.Run(start + done).Failure is SimulationFailure failure)
            {
                return new MutationResult(defect, done + 1, failure.Invariant);
            }
        }

        return new MutationResult(defect, count, CaughtBy: null);
    }

    /// <summary>Prints a table of all defects; true when none was missed.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="start">The first seed.</param>
    /// <param name="count">Runs for each defect.</param>
    /// <param name="only">The invariants that count; null: all.</param>
    public static bool Print(TextWriter output, ulong start, ulong count, IReadOnlySet<string>? only)
    {
        var isAnyMissed = false;
        output.WriteLine($"{"mutation",-32} {"seeds",6}  caught by");
        foreach (var defect in All)
        {
            var result = Find(defect, only, start, count);
            isAnyMissed |= result.CaughtBy is null;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{defect,-32} {result.SeedCount,6}  {result.CaughtBy ?? "MISSED"}"));
            output.Flush();
        }

        return !isAnyMissed;
    }
}
