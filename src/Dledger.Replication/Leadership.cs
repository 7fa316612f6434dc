using Dledger.Primitives;

namespace Dledger.Replication;

/// <summary>Who leads, as told to the state machine.</summary>
/// <param name="Term">The term that this is about.</param>
/// <param name="IsServing">This node leads and has applied the first frame of its own term, so its state is
/// exact.</param>
/// <param name="Leader">The leader as far as known, or <see cref="NodeId.None"/>.</param>
public readonly record struct Leadership(Term Term, bool IsServing, NodeId Leader);
