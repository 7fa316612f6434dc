using Dledger.Raft.Quorums;
using Dledger.Simulation.Nodes;

namespace Dledger.Simulation.Faults;

/// <summary>How many voters may be damaged at the same time: fewer than half of each list of voters that may decide (2.26).</summary>
internal sealed class DamageBudget(SimulatedCluster cluster)
{
    /// <summary>
    /// The configurations that may decide something from now on: the last committed one, those behind it in any log, and what
    /// joint ones lead to.
    /// </summary>
    public IReadOnlyList<Configuration> InForce()
    {
        var commits = cluster.Checks.Commits;
        List<Configuration> found = [commits.Configuration?.Configuration ?? cluster.Founders];
        foreach (var node in cluster.Nodes)
        {
            // A crashed node may come back with what it wrote; a running one with less is the same as a crashed one.
            foreach (var frame in node.Log.Frames.Concat(node.Disk.Written))
            {
                if (frame.Configuration is { } configuration && frame.Summary.Base >= commits.End)
                {
                    found.Add(configuration);
                }
            }
        }

        return [.. found.Concat(found.Select(configuration => configuration.Final)).Distinct()];
    }

    /// <summary>The storage is gone for good.</summary>
    public bool IsGone(Member member) => cluster.Find(member.Node)!.Disk.Member != member;

    /// <summary>The storage is gone, or what it acknowledged may be.</summary>
    public bool IsDamaged(Member member) => IsGone(member) || cluster.Find(member.Node)!.Disk.HasLoss;

    /// <summary>Whether a node's disk may be damaged now.</summary>
    public bool Allows(SimulatedNode victim) => InForce().All(configuration =>
        IsAffordable(configuration, member => IsDamaged(member) || member == victim.Disk.Member));

    /// <summary>Whether a majority of each list of voters is whole.</summary>
    public bool Allows(Configuration configuration) => IsAffordable(configuration, IsDamaged);

    /// <summary>Whether these nodes can elect a leader, whichever configuration is in force.</summary>
    public bool CanElect(IReadOnlyCollection<SimulatedNode> alive) => InForce().All(configuration =>
    {
        bool IsAlive(Member member) => alive.Any(node => node.Disk.Member == member);
        return IsAffordable(configuration, member => !IsAlive(member) || IsDamaged(member))
            || configuration.Voters.Concat(configuration.VotersNew).All(IsAlive);
    });

    private static bool IsAffordable(Configuration configuration, Predicate<Member> isLost) =>
        IsAffordable(configuration.Voters, isLost) && IsAffordable(configuration.VotersNew, isLost);

    private static bool IsAffordable(IReadOnlyList<Member> voters, Predicate<Member> isLost) =>
        voters.Count == 0 || voters.Count(voter => isLost(voter)) <= (voters.Count - 1) / 2;
}
