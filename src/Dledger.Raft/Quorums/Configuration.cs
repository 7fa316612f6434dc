using Dledger.Primitives;

namespace Dledger.Raft.Quorums;

/// <summary>The members of a group. Immutable; lists are in ascending order.</summary>
/// <remarks>
/// <code>
/// simple:  Voters                     a majority of them decides
/// joint:   Voters and VotersNew       a majority of each decides (Raft section 6)
/// both:    Learners                   receive everything and acknowledge it, but decide nothing
/// </code>
/// A node occurs at most once in each list. In a joint configuration that replaces a wiped voter it is in both halves, with its
/// old storage in <see cref="Voters"/> and its new one in <see cref="VotersNew"/>.
/// </remarks>
public sealed record Configuration
{
    /// <summary>A configuration; with new voters a joint one.</summary>
    public Configuration(IEnumerable<Member> voters, IEnumerable<Member>? learners = null, IEnumerable<Member>? votersNew = null)
    {
        Voters = [.. voters.Order()];
        VotersNew = [.. (votersNew ?? []).Order()];
        Learners = [.. (learners ?? []).Order()];
        var fault = FindFault(Voters, VotersNew, Learners);
        Invariant.Check(fault is null, $"configuration: {fault}");
    }

    /// <summary>The voters; in a joint configuration those that are being replaced.</summary>
    public IReadOnlyList<Member> Voters { get; }

    /// <summary>In a joint configuration the voters to come; else empty.</summary>
    public IReadOnlyList<Member> VotersNew { get; }

    /// <summary>Members that do not decide anything.</summary>
    public IReadOnlyList<Member> Learners { get; }

    /// <summary>Whether two majorities are needed.</summary>
    public bool IsJoint => VotersNew.Count > 0;

    /// <summary>Every member once, in ascending order.</summary>
    public IReadOnlyList<Member> Members => [.. Voters.Concat(VotersNew).Concat(Learners).Distinct().Order()];

    /// <summary>What a joint configuration leads to: the new voters alone. A simple one is its own final.</summary>
    public Configuration Final => IsJoint ? new Configuration(VotersNew, Learners) : this;

    /// <summary>What is wrong with such lists, in words; null when they make a configuration. For decoders of stored bytes.</summary>
    public static string? FindFault(
        IReadOnlyList<Member> voters, IReadOnlyList<Member> votersNew, IReadOnlyList<Member> learners)
    {
        if (voters.Count == 0)
        {
            return "there is no voter";
        }

        if (HasDoubleNode(voters) || HasDoubleNode(votersNew) || HasDoubleNode(learners))
        {
            return "a node occurs twice in one list";
        }

        return learners.Any(learner => voters.Contains(learner) || votersNew.Contains(learner))
            ? "a learner is a voter as well"
            : null;
    }

    /// <summary>Whether a member's vote and acknowledgement count, in either half.</summary>
    public bool IsVoter(Member member) => Contains(Voters, member) || Contains(VotersNew, member);

    /// <summary>Whether some storage of a node is a voter, in either half.</summary>
    public bool IsVoter(NodeId node) => Contains(Voters, node) || Contains(VotersNew, node);

    /// <summary>Whether a member will be a voter when a change under way is over.</summary>
    public bool StaysVoter(Member member) => Contains(IsJoint ? VotersNew : Voters, member);

    /// <summary>Whether some storage of a node is a voter or a learner.</summary>
    public bool IsMember(NodeId node) => IsVoter(node) || Contains(Learners, node);

    /// <summary>
    /// Why this configuration may not follow another one directly; null when it may. Each step keeps a majority of one side in
    /// every majority of the other (I27).
    /// </summary>
    public string? FindSuccessionFault(Configuration previous)
    {
        if (previous.IsJoint)
        {
            return Equals(previous.Final) ? null : "a joint configuration is followed by its own final one";
        }

        return Voters.SequenceEqual(previous.Voters) ? null : "the voters change without a joint configuration";
    }

    /// <summary>Two configurations are equal when they have the same members in the same roles.</summary>
    public bool Equals(Configuration? other) => other is not null && Voters.SequenceEqual(other.Voters)
        && VotersNew.SequenceEqual(other.VotersNew) && Learners.SequenceEqual(other.Learners);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = VotersNew.Count;
        foreach (var voter in Voters)
        {
            hash = (hash * 31) + voter.Node.Value;
        }

        return hash;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"voters {string.Join(" ", Voters)}" + (IsJoint ? $" and {string.Join(" ", VotersNew)}" : "")
        + (Learners.Count > 0 ? $", learners {string.Join(" ", Learners)}" : "");

    private static bool HasDoubleNode(IReadOnlyList<Member> members) =>
        members.DistinctBy(member => member.Node).Count() != members.Count;

    private static bool Contains(IReadOnlyList<Member> members, Member wanted)
    {
        for (var i = 0; i < members.Count; i++)
        {
            if (members[i] == wanted)
            {
                return true;
            }
        }

        return false;
    }

    private static bool Contains(IReadOnlyList<Member> members, NodeId wanted)
    {
        for (var i = 0; i < members.Count; i++)
        {
            if (members[i].Node == wanted)
            {
                return true;
            }
        }

        return false;
    }
}
