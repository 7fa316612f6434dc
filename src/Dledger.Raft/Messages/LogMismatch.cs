using Dledger.Primitives;

namespace Dledger.Raft.Messages;

/// <summary>A follower's log in outline, from which the leader finds the common prefix in one round.</summary>
/// <param name="Start">First position that the follower still has.</param>
/// <param name="End">
/// Where the outlined part ends: the follower's log end, or, when older epochs were asked for, the start of the first epoch
/// that is left out at the newer side.
/// </param>
/// <param name="Epochs">At most <see cref="EpochCountMax"/> epochs, oldest first, the newest that begin before the end.</param>
/// <param name="IsCutShort">Whether the follower has older epochs than these.</param>
public sealed record LogMismatch(LogPosition Start, LogPosition End, IReadOnlyList<Epoch> Epochs, bool IsCutShort)
{
    /// <summary>Bounds the message; longer tables are walked in several rounds.</summary>
    public const int EpochCountMax = 64;

    /// <inheritdoc/>
    public override string ToString() => $"start={Start} end={End} epochs={string.Join(",", Epochs.Select(e => $"({e.Term},{e.Start})"))}";
}
