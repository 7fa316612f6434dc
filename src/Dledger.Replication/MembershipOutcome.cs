using Dledger.Primitives;

namespace Dledger.Replication;

/// <summary>What became of a <see cref="MembershipChange"/>.</summary>
/// <param name="Kind">How it stands.</param>
/// <param name="Reason">In words for an operator; empty when done.</param>
/// <param name="Leader">With <see cref="MembershipOutcomeKind.NotLeader"/>: whom to ask; none when nobody is known.</param>
public readonly record struct MembershipOutcome(MembershipOutcomeKind Kind, string Reason, NodeId Leader)
{
    /// <summary>The change holds, and is committed.</summary>
    public static readonly MembershipOutcome Done = new(MembershipOutcomeKind.Done, "", NodeId.None);
}

/// <summary>How a change of the members stands.</summary>
public enum MembershipOutcomeKind
{
    /// <summary>It holds, and is committed.</summary>
    Done,

    /// <summary>It is under way; the reason says what it waits for. Ask again.</summary>
    Pending,

    /// <summary>It cannot be done; nothing was changed.</summary>
    Refused,

    /// <summary>Only the leader changes members.</summary>
    NotLeader,

    /// <summary>Leadership was lost on the way. Ask again: what has begun goes on.</summary>
    Unknown,
}
