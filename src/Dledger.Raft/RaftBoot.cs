using Dledger.Primitives;
using Dledger.Raft.Quorums;

namespace Dledger.Raft;

/// <summary>What recovery found on disk: where a core begins.</summary>
/// <param name="Term">Term of the meta file.</param>
/// <param name="VotedFor">Vote of that term; <see cref="NodeId.None"/> when none was given.</param>
/// <param name="Epochs">Epoch table of the whole local log. The core takes ownership.</param>
/// <param name="End">End of the local log.</param>
/// <param name="Durable">Synced in this process life; recovery syncs all of it, so normally equal to the end.</param>
/// <param name="Commit">A lower bound of the commit position: checkpoint or commit hint, at most the end.</param>
/// <param name="Configurations">
/// The configurations of the local log in order: first the cluster's first one at position 0 (or that of the snapshot under the
/// log, at the snapshot's position), then one for each frame with <see cref="FrameFlags.Configuration"/>.
/// </param>
/// <param name="Passive">True while the node may neither vote nor replicate.</param>
/// <param name="PassiveReason">Why, in words for an operator.</param>
/// <param name="HasLoss">The loss flag of the meta file: this node may have lost frames that it once acknowledged.</param>
/// <param name="ConfigurationFloor">
/// Position of the newest configuration that was in force here, of the meta file. A log that ends before it has lost a configuration:
/// then this node does not know who decides, and does not even take part in an election by all voters.
/// </param>
public sealed record RaftBoot(
    Term Term,
    NodeId VotedFor,
    EpochTable Epochs,
    LogPosition End,
    LogPosition Durable,
    LogPosition Commit,
    IReadOnlyList<ConfigurationEntry> Configurations,
    bool Passive = false,
    string? PassiveReason = null,
    bool HasLoss = false,
    LogPosition ConfigurationFloor = default);
