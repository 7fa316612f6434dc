using Dledger.Primitives;

namespace Dledger.Raft.Quorums;

/// <summary>The voters of a group. Immutable.</summary>
public sealed record Configuration
{
    /// <summary>A configuration of distinct voters, at least one.</summary>
    public Configuration(IEnumerable<NodeId> voters)
    {
        Voters = [.. voters.Order()];
        Invariant.Check(Voters.Count > 0, "a configuration has a voter");
        Invariant.Check(Voters.Distinct().Count() == Voters.Count, "voters are distinct");
    }

    /// <summary>In ascending order.</summary>
    public IReadOnlyList<NodeId> Voters { get; }

    /// <summary>Whether a node's vote and acknowledgement count.</summary>
    public bool IsVoter(NodeId node) => Voters.Contains(node);

    /// <summary>Two configurations are equal when they have the same voters.</summary>
    public bool Equals(Configuration? other) => other is not null && Voters.SequenceEqual(other.Voters);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = 0;
        foreach (var voter in Voters)
        {
            hash = (hash * 31) + voter.Value;
        }

        return hash;
    }
}
