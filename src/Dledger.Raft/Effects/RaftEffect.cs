using Dledger.Primitives;
using Dledger.Raft.Messages;

namespace Dledger.Raft.Effects;

/// <summary>One thing that the driver must do. Effects are executed in the order in which they were taken.</summary>
public abstract record RaftEffect;

/// <summary>Make term and vote durable, then call <see cref="RaftCore.MetaDurable"/>; a newer version may replace an unwritten one.</summary>
public sealed record PersistMeta(long Version, Term Term, NodeId VotedFor) : RaftEffect;

/// <summary>
/// Build the frame that opens the leader's term at the log's end, show it in the view, and call
/// <see cref="RaftCore.FrameAppended"/> before any other call of the core.
/// </summary>
public sealed record CutTermStart(Term Term) : RaftEffect;

/// <summary>Hand the frames of [Base, End) to the log writer under a write generation.</summary>
/// <param name="Generation">To be returned in <see cref="RaftCore.LogDurable"/>.</param>
/// <param name="Base">Where the first frame begins; the log's end at the writer.</param>
/// <param name="End">Where the last frame ends.</param>
/// <param name="Source">
/// The append whose <see cref="AppendRequest.Bytes"/> hold the frames, from offset <c>Base - Source.Previous</c>; null on the
/// leader, whose driver has cut the frame itself.
/// </param>
public sealed record WriteRange(uint Generation, LogPosition Base, LogPosition End, AppendRequest? Source) : RaftEffect;

/// <summary>Cut the log; only writes of the new generation follow.</summary>
public sealed record TruncateTo(LogPosition Position, uint Generation) : RaftEffect;

/// <summary>
/// Send a message on the connection <see cref="PeerMessage.Session"/>: the own outbound one, or for a reply the peer's. If that
/// connection is gone the message is dropped. For an <see cref="AppendRequest"/> the driver attaches the bytes of its range.
/// </summary>
public sealed record Send(NodeId Peer, PeerMessage Message) : RaftEffect;

/// <summary>Everything before the position is committed; it may exceed the own durable position.</summary>
public sealed record CommitTo(LogPosition Position) : RaftEffect;

/// <summary>Role, term or known leader changed.</summary>
public sealed record RoleChanged(RaftRole Role, Term Term, NodeId Leader) : RaftEffect;

/// <summary>Close the connection of a peer that sent what it must not send.</summary>
public sealed record CloseSession(NodeId Peer, long Session, string Reason) : RaftEffect;

/// <summary>A transfer ended; true when this node leads no more.</summary>
public sealed record TransferFinished(bool IsSuccess) : RaftEffect;

/// <summary>Safety can no longer be promised: stop the process and keep its files. The core does nothing any more.</summary>
public sealed record Halt(string Reason) : RaftEffect;
