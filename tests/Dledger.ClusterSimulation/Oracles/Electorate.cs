using Dledger.Replication;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>Who decides under a configuration: its voters; while it changes, a majority of the old and one of the new.</summary>
internal static class Electorate
{
    public static bool IsMajority(IReadOnlyList<MemberStatus> members, Func<NodeId, bool> counts)
    {
        return IsMajorityWith(MemberRole.Leaving) && IsMajorityWith(MemberRole.Joining);

        bool IsMajorityWith(MemberRole changing)
        {
            var (voters, holders) = (0, 0);
            foreach (var member in members.Where(member => member.Role == MemberRole.Voter || member.Role == changing))
            {
                voters++;
                holders += !IsReplaced(member) && counts(member.Node) ? 1 : 0;
            }

            return holders > voters / 2;
        }

        // The node is there with another disk; the voter that leaves holds nothing and says nothing.
        bool IsReplaced(MemberStatus member) => member.Role == MemberRole.Leaving
            && members.Any(other => other.Node == member.Node && other.Role == MemberRole.Joining);
    }
}
