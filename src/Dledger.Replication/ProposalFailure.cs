using Dledger.Primitives;

namespace Dledger.Replication;

/// <summary>Why a proposal was not committed by this node, and whom to ask instead.</summary>
/// <param name="Kind">What is known about the proposal's fate.</param>
/// <param name="Leader">The leader as far as known, or <see cref="NodeId.None"/>.</param>
/// <param name="Detail">A sentence for people.</param>
public readonly record struct ProposalFailure(ProposalFailureKind Kind, NodeId Leader, string Detail);
