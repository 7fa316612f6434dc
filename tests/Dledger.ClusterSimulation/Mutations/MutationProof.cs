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
