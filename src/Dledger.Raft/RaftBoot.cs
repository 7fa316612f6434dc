using Dledger.Primitives;

namespace Dledger.Raft;

/// <summary>What recovery found on disk: where a core begins.</summary>
/// <param name="Term">Term of the meta file.</param>
/// <param name="VotedFor">Vote of that term; <see cref="NodeId.None"/> when none was given.</param>
/// <param name="Epochs">Epoch table of the whole local log. The core takes ownership.</param>
/// <param name="End">End of the local log.</param>
/// <param name="Durable">Synced in this process life; recovery syncs all of it, so normally equal to the end.</param>
/// <param name="Commit">A lower bound of the commit position: checkpoint or commit hint, at most the end.</param>
/// <param name="Passive">True while the node may neither vote nor replicate.</param>
/// <param name="PassiveReason">Why, in words for an operator.</param>
public sealed record RaftBoot(
    Term Term,
    NodeId VotedFor,
    EpochTable Epochs,
    LogPosition End,
    LogPosition Durable,
    LogPosition Commit,
    bool Passive = false,
    string? PassiveReason = null);
