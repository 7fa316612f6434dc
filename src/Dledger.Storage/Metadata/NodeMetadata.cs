using Dledger.Primitives;
using Dledger.Storage.Frames;

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

/// <summary>The durable decision to replace log and state by a snapshot: a start that finds it finishes the
/// work.</summary>
/// <param name="Applied">The position up to which the snapshot includes the log.</param>
/// <param name="ManifestCrc">Checksum of the snapshot's manifest; the staged parts belong to it.</param>
/// <param name="LogStart">Where the new, empty log begins.</param>
public readonly record struct InstallIntent(LogPosition Applied, uint ManifestCrc, ChainTail LogStart);

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

    /// <summary>
    /// Where the newest configuration lies that was in force here and synced: a log that ends before it has lost it.
    /// </summary>
    public LogPosition ConfigurationFloor { get; init; }

    /// <summary>Random id of the last start.</summary>
    public Guid BootId { get; init; }

    /// <summary>
    /// The kernel's boot id of the machine at the last start; empty when the file is from a time that did not know it.
    /// </summary>
    public Guid MachineBootId { get; init; }

    /// <summary>Whether the last start acknowledged before it synced.</summary>
    public bool IsRelaxed { get; init; }

    /// <summary>A snapshot install that has begun, or null. Its presence forbids appends.</summary>
    public InstallIntent? Install { get; init; }

    /// <summary>
    /// Applied position of the snapshot installed last, kept until the durable log has passed it: only this state
    /// checkpoint may lie beyond the log's end.
    /// </summary>
    public LogPosition? InstalledApplied { get; init; }

    /// <summary>Set by an orderly stop, cleared at the next start.</summary>
    public CleanStop? CleanStop { get; init; }

    /// <summary>
    /// Whether what was written without a sync may be gone: the machine booted since the last start, which did not end
    /// in order. To be asked before the new start is recorded; matters for a node that acknowledges before it syncs.
    /// </summary>
    public bool MayHaveLostUnsynced(Guid machineBootId) => CleanStop is null && MachineBootId != machineBootId;

    /// <summary>The cluster's id; empty before genesis.</summary>
    public Guid ClusterId => Genesis?.ClusterId ?? Guid.Empty;
}
