using Dledger.Primitives;

namespace Dledger.Raft.Quorums;

/// <summary>Who counts: a node together with the data directory it had when it became a member. Immutable.</summary>
/// <remarks>
/// A wiped node comes back with another <see cref="StorageId"/>. It is then another member, whose votes and acks count for
/// nothing until a configuration names it, because what the old directory had promised is gone.
/// </remarks>
/// <param name="Node">The node.</param>
/// <param name="StorageId">Random identity of its data directory.</param>
public readonly record struct Member(NodeId Node, Guid StorageId) : IComparable<Member>
{
    /// <summary>By node, then by storage.</summary>
    public int CompareTo(Member other) =>
        Node == other.Node ? StorageId.CompareTo(other.StorageId) : Node.CompareTo(other.Node);

    public static bool operator <(Member left, Member right) => left.CompareTo(right) < 0;

    public static bool operator <=(Member left, Member right) => left.CompareTo(right) <= 0;

    public static bool operator >(Member left, Member right) => left.CompareTo(right) > 0;

    public static bool operator >=(Member left, Member right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public override string ToString() => $"{Node}/{StorageId.ToString("N")[..8]}";
}
