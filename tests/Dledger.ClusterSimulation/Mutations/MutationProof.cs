using Dledger.ClusterSimulation.Reports;

namespace Dledger.ClusterSimulation.Mutations;

/// <summary>What a campaign made of one mutation.</summary>
/// <param name="Mutation">The defect.</param>
/// <param name="Seeds">How many seeds it took.</param>
/// <param name="Failure">What broke; null when the budget ended before.</param>
internal sealed record MutationVerdict(Mutation Mutation, int Seeds, SimulationFailure? Failure);

/// <summary>Seeds each defect and looks how long the simulation needs to find it.</summary>
internal static class MutationProof
{
    /// <summary>Seeds after which a defect counts as missed.</summary>
    public const int Budget = 1_000;

    /// <summary>Defects of the design's list (raft-and-storage.md 3.7) that no mutation shows, and why.</summary>
    public static readonly IReadOnlyList<(string Number, string Defect, string Reason)> NotSeeded =
    [
        ("3-15", "defects of the Raft core", "seeded in the simulation of the Raft core"),
        ("25-26", "loss flag, wiped node", "seeded in the simulation of the Raft core"),
        ("28-29", "pre-vote, check-quorum by receive time", "seeded in the simulation of the Raft core"),
        ("30", "lease kept during transfer", "no such feature: reads are confirmed by a majority each time"),
        ("31", "early read index", "seeded in the simulation of the Raft core; reads without any proof are seeded here"),
        ("36", "timer bucket not in checkpoint", "runs of timers are files of their own; the timer defects that are seeded are others"),
        ("40", "chain seed not bound to the cluster", "no run shows bytes of another cluster"),
    ];

    public static IEnumerable<Mutation> All => Enum.GetValues<Mutation>().Where(mutation => mutation != Mutation.None);

    public static MutationVerdict Judge(Mutation mutation)
    {
        var campaign = new Campaign(mutation);
        for (var count = 1; count <= Budget; count++)
        {
            if (campaign.Run((ulong)count).Failure is SimulationFailure failure)
            {
                return new MutationVerdict(mutation, count, failure);
            }
        }

        return new MutationVerdict(mutation, Budget, Failure: null);
    }
}
