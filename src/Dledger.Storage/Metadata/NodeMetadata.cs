using Dledger.Primitives;

namespace Dledger.Storage.Metadata;

/// <summary>A voter of the first configuration: the node and the data directory it had then.</summary>
public readonly record struct GenesisVoter(NodeId Node, Guid StorageId);

/// <summary>The birth of a cluster: its id and its first voters. Equal on all nodes and never changed.</summary>
public sealed record Genesis(Guid ClusterId, IReadOnlyList<GenesisVoter> Voters)
{
    /// <summary>Most voters that fit into a slot.</summary>
    public const int VoterCountMax = 150;

    /// <inheritdoc/>
    public bool Equals(Genesis? other) =>
        other is not null && ClusterId == other.ClusterId && Voters.SequenceEqual(other.Voters);

    /// <inheritdoc/>
    public override int GetHashCode() => ClusterId.GetHashCode();
}

/// <summary>Where the log ended when the node stopped in order.</summary>
public readonly record struct CleanStop(LogPosition End, uint HeaderCrc);

/// <summary>
/// A node's identity and hard state. Immutable; changed with <c>with</c> and <see cref="MetaFile.Write"/>.
/// </summary>
public sealed record NodeMetadata
{
    /// <summary>The configured id of the node that owns the directory.</summary>
    public required NodeId Node { get; init; }

    /// <summary>Random id made when the directory was formatted.</summary>
    public required Guid StorageId { get; init; }

    /// <summary>Null until the node took part in a bootstrap.</summary>
    public Genesis? Genesis { get; init; }

    /// <summary>Current term; never decreases.</summary>
    public Term Term { get; init; }

    /// <summary>The candidate voted for in <see cref="Term"/>.</summary>
    public NodeId VotedFor { get; init; }

    /// <summary>Whether the node may have lost bytes that it acknowledged.</summary>
    public bool LossFlag { get; init; }

    /// <summary>The term in which the loss was noticed.</summary>
    public Term LossTerm { get; init; }

    /// <summary>Random id of the last start.</summary>
    public Guid BootId { get; init; }

    /// <summary>Set by an orderly stop, cleared at the next start.</summary>
    public CleanStop? CleanStop { get; init; }

    /// <summary>The cluster's id; empty before genesis.</summary>
    public Guid ClusterId => Genesis?.ClusterId ?? Guid.Empty;
}
