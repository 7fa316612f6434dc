using System.Diagnostics.CodeAnalysis;

namespace Dledger.Raft.Effects;

/// <summary>The effects that the core wants, first in first out. Owned by the replication loop.</summary>
/// <remarks>The driver may call the core while it drains: what that call adds comes behind what is already here.</remarks>
public sealed class RaftEffects
{
    private readonly Queue<RaftEffect> _effects = new();

    /// <summary>Effects not yet taken.</summary>
    public int Count => _effects.Count;

    /// <summary>Takes the oldest effect; false when there is none.</summary>
    public bool TryTake([MaybeNullWhen(false)] out RaftEffect effect) => _effects.TryDequeue(out effect);

    internal void Add(RaftEffect effect) => _effects.Enqueue(effect);
}
