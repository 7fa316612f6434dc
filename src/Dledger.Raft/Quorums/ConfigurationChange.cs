using System.Diagnostics.CodeAnalysis;

namespace Dledger.Raft.Quorums;

/// <summary>What an operator wants to be different; all of it happens in one joint change. Immutable.</summary>
/// <remarks>
/// To replace the disk of a voter: add the node with its new storage as a learner, and when it has caught up promote it, which
/// takes out the old storage in the same step. At most one voter is replaced so at a time.
/// </remarks>
public sealed record ConfigurationChange
{
    /// <summary>Members that are to receive the log. Takes the place of a learner of the same node with another storage.</summary>
    public IReadOnlyList<Member> AddLearners { get; init; } = [];

    /// <summary>Learners that are to become voters, in place of the same node's other storage when that is a voter.</summary>
    public IReadOnlyList<Member> Promote { get; init; } = [];

    /// <summary>Voters or learners that are to leave.</summary>
    public IReadOnlyList<Member> Remove { get; init; } = [];

    /// <summary>One new learner.</summary>
    public static ConfigurationChange AddLearner(Member member) => new() { AddLearners = [member] };

    /// <summary>One learner that becomes a voter.</summary>
    public static ConfigurationChange PromoteLearner(Member member) => new() { Promote = [member] };

    /// <summary>One member that leaves.</summary>
    public static ConfigurationChange RemoveMember(Member member) => new() { Remove = [member] };

    /// <summary>
    /// The configuration to append first: a joint one when the voters change, else the new one itself. False tells in words why
    /// the change does not apply.
    /// </summary>
    internal bool TryApply(
        Configuration present, [NotNullWhen(true)] out Configuration? next, [NotNullWhen(false)] out string? fault)
    {
        var voters = present.Voters.ToList();
        var learners = present.Learners.ToList();
        next = null;
        fault = FindFault(present);
        if (fault is not null)
        {
            return false;
        }

        foreach (var member in Remove)
        {
            voters.Remove(member);
            learners.Remove(member);
        }

        foreach (var member in Promote)
        {
            learners.Remove(member);
            voters.RemoveAll(voter => voter.Node == member.Node);
            voters.Add(member);
        }

        foreach (var member in AddLearners)
        {
            learners.RemoveAll(learner => learner.Node == member.Node);
            learners.Add(member);
        }

        fault = Configuration.FindFault(voters, [], learners);
        if (fault is not null)
        {
            return false;
        }

        voters.Sort();
        next = voters.SequenceEqual(present.Voters)
            ? new Configuration(voters, learners)
            : new Configuration(present.Voters, learners, voters);
        return true;
    }

    private string? FindFault(Configuration present)
    {
        if (AddLearners.Count + Promote.Count + Remove.Count == 0)
        {
            return "the change is empty";
        }

        if (AddLearners.Concat(Promote).Concat(Remove).GroupBy(member => member).Any(group => group.Count() > 1))
        {
            return "a member is named twice";
        }

        foreach (var member in Remove)
        {
            if (!present.IsVoter(member) && !present.Learners.Contains(member))
            {
                return $"{member} is not a member";
            }
        }

        foreach (var member in AddLearners)
        {
            if (present.IsVoter(member) || present.Learners.Contains(member))
            {
                return $"{member} is a member already";
            }
        }

        foreach (var member in Promote)
        {
            if (!present.Learners.Contains(member))
            {
                return $"{member} is not a learner";
            }
        }

        // Each of the two may hold what the other one lost.
        return Promote.Count(member => present.IsVoter(member.Node)) > 1
            ? "two voters would get another storage at once"
            : null;
    }
}
