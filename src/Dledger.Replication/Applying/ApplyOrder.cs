using Dledger.Primitives;

namespace Dledger.Replication.Applying;

/// <summary>What the replication loop tells the apply loop, in order.</summary>
internal abstract record ApplyOrder;

/// <summary>A leader's frame and the proposals in it.</summary>
internal readonly record struct ProposedFrame(LogPosition Base, LogPosition End, IReadOnlyList<Proposal> Proposals);

/// <summary>Everything before a position is committed.</summary>
/// <param name="Position">A frame boundary.</param>
/// <param name="Proposed">The frames below it that this node cut and whose proposals wait; the apply loop owns them
/// now.</param>
internal sealed record CommitReached(LogPosition Position, IReadOnlyList<ProposedFrame> Proposed) : ApplyOrder;

/// <summary>Role, term or leader changed.</summary>
internal sealed record LeaderKnown(Term Term, NodeId Leader, bool IsSelf) : ApplyOrder;

/// <summary>Let the state machine look after its files, although nothing was applied: something is wrong with them.</summary>
internal sealed record MaintenanceWanted : ApplyOrder;

/// <summary>End after the present frame; with a fault the state machine is not asked to flush.</summary>
internal sealed record StopApplying(bool IsFault) : ApplyOrder;
