using Dledger.Primitives;
using Dledger.Raft.Quorums;
using Dledger.Simulation.Nodes;

namespace Dledger.Simulation.Invariants;

/// <summary>I26 and I27: what must hold of the configurations. Shares no arithmetic with the core.</summary>
internal sealed class MemberChecks(Checks checks)
{
    /// <summary>Whether the chosen voters may decide: more than half of each list of voters.</summary>
    public static bool IsQuorum(Configuration configuration, Predicate<Member> isChosen) =>
        IsMajority(configuration.Voters, isChosen) && (!configuration.IsJoint || IsMajority(configuration.VotersNew, isChosen));

    /// <summary>A leader is about to append a configuration.</summary>
    public void Cutting(SimulatedNode node, Configuration configuration)
    {
        var previous = node.Configuration;
        var position = node.Log.NewestConfiguration?.Position ?? LogPosition.Zero;
        checks.Check(
            "I26",
            position == LogPosition.Zero || position < node.Core!.Commit,
            $"node {node.Id} cuts {configuration}, its configuration at {position} is not committed");

        var voters = previous.Voters.Concat(previous.VotersNew).Concat(configuration.Voters).Concat(configuration.VotersNew)
            .Distinct().ToArray();
        for (var subset = 0; subset < 1 << voters.Length; subset++)
        {
            var chosen = voters.Where((_, index) => (subset & (1 << index)) != 0).ToHashSet();
            var areDisjoint = IsQuorum(previous, chosen.Contains) && IsQuorum(configuration, voter => !chosen.Contains(voter));
            checks.Check("I27", !areDisjoint, $"{previous} and {configuration} can decide without each other: {string.Join(" ", chosen)}");
        }
    }

    /// <summary>After each step of a node.</summary>
    public void Stepped(SimulatedNode node)
    {
        var expected = node.Configuration;
        var present = node.Core!.Configuration;
        checks.Check(
            "I26",
            ReferenceEquals(expected, present) || expected.Equals(present),
            $"node {node.Id} follows {present}, its log says {expected}");
    }

    private static bool IsMajority(IReadOnlyList<Member> voters, Predicate<Member> isChosen)
    {
        var count = 0;
        foreach (var voter in voters)
        {
            count += isChosen(voter) ? 1 : 0;
        }

        return 2 * count > voters.Count;
    }
}
