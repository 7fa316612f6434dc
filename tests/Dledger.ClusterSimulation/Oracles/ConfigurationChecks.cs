using Dledger.Replication;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>Two configurations of which one follows the other (I26, I27).</summary>
internal static class ConfigurationChecks
{
    public static void Check(
        SimulatedCluster cluster, IReadOnlyList<MemberStatus> before, IReadOnlyList<MemberStatus> now)
    {
        var changing = now
            .Where(member => member.Role is MemberRole.Joining or MemberRole.Leaving)
            .Select(member => member.Node)
            .Distinct()
            .Count();
        cluster.Checks.Check("I26", changing <= 1, $"{changing} members change at once: {Describe(now)}");
        cluster.Checks.Check(
            "I27",
            before.Count == 0 || DoAlwaysMeet(before, now),
            $"{Describe(before)} and {Describe(now)} have majorities without a common member");
    }

    // All ways to split the voters of both in two: not each half may decide.
    private static bool DoAlwaysMeet(IReadOnlyList<MemberStatus> before, IReadOnlyList<MemberStatus> now)
    {
        var voters = before.Concat(now)
            .Where(member => member.Role != MemberRole.Learner)
            .Select(member => (member.Node, member.StorageId))
            .Distinct()
            .ToList();
        for (var split = 0; split < 1 << voters.Count; split++)
        {
            var half = split;
            if (Decides(before, member => IsIn(half, member)) && Decides(now, member => !IsIn(half, member)))
            {
                return false;
            }
        }

        return true;

        bool IsIn(int split, MemberStatus member) =>
            ((split >> voters.IndexOf((member.Node, member.StorageId))) & 1) != 0;
    }

    private static bool Decides(IReadOnlyList<MemberStatus> members, Func<MemberStatus, bool> counts)
    {
        return IsMajorityWith(MemberRole.Leaving) && IsMajorityWith(MemberRole.Joining);

        bool IsMajorityWith(MemberRole changing)
        {
            var voters = members.Where(member => member.Role == MemberRole.Voter || member.Role == changing).ToList();
            return voters.Count(counts) > voters.Count / 2;
        }
    }

    private static string Describe(IReadOnlyList<MemberStatus> members) =>
        string.Join(' ', members.Select(member => $"{member.Node}:{member.Role}"));
}
