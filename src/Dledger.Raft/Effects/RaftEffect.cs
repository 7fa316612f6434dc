using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Raft.Quorums;

namespace Dledger.Raft.Effects;

/// <summary>One thing that the driver must do. Effects are executed in the order in which they were taken.</summary>
public abstract record RaftEffect;

/// <summary>
/// Make all of this durable, then call <see cref="RaftCore.MetaDurable"/>; a newer version may replace an unwritten one.
/// </summary>
/// <param name="Version">To be returned in <see cref="RaftCore.MetaDurable"/>.</param>
/// <param name="Term">The term.</param>
/// <param name="VotedFor">The vote of that term.</param>
/// <param name="HasLoss">The loss flag; it only ever falls here, after the boot that found it set.</param>
/// <param name="ConfigurationFloor">See <see cref="RaftBoot.ConfigurationFloor"/>; it moves with the configuration in force.</param>
public sealed record PersistMeta(
    long Version, Term Term, NodeId VotedFor, bool HasLoss, LogPosition ConfigurationFloor) : RaftEffect;

/// <summary>
/// Build the frame that opens the leader's term at the log's end, show it in the view, and call
/// <see cref="RaftCore.FrameAppended"/> before any other call of the core.
/// </summary>
public sealed record CutTermStart(Term Term) : RaftEffect;

/// <summary>
/// Build a frame at the log's end that holds this configuration alone, flagged <see cref="FrameFlags.Configuration"/>, show it in
/// the view, and call <see cref="RaftCore.FrameAppended"/> before any other call of the core.
/// </summary>
public sealed record CutConfiguration(Configuration Configuration) : RaftEffect;

/// <summary>
/// Another configuration is in force, or the one in force is committed now. It may also be an older one: a truncation took the newer.
/// </summary>
/// <param name="Entry">The configuration and its position.</param>
/// <param name="IsCommitted">Whether it can no longer be taken back.</param>
/// <param name="Peers">
/// The nodes to which this node wants an outbound connection: all other members, and until the configuration is committed also
/// those of the one before it. Connections of any other node of the cluster are still accepted: it may know more.
/// </param>
public sealed record ConfigurationChanged(ConfigurationEntry Entry, bool IsCommitted, IReadOnlyList<NodeId> Peers) : RaftEffect;

/// <summary>A request of <see cref="RaftCore.ChangeConfiguration"/> ended.</summary>
/// <param name="Change">The request, the same object.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Reason">In words for an operator, unless it succeeded.</param>
public sealed record ConfigurationChangeFinished(
    ConfigurationChange Change, ConfigurationChangeOutcome Outcome, string? Reason) : RaftEffect;

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

/// <summary>
/// Read whole frames of the own log for a peer, at most so many bytes but at least one frame, and call
/// <see cref="RaftCore.RangeRead"/>, which says whether an append with just these frames follows. A newer request for the same peer takes
/// the place of an older one.
/// </summary>
/// <param name="Peer">Who gets them.</param>
/// <param name="Session">The connection to it; to be closed when the frames cannot be read.</param>
/// <param name="Number">To be returned; counts up.</param>
/// <param name="From">Where the first frame begins, below what is in memory.</param>
/// <param name="BytesMax">Largest range.</param>
public sealed record ReadRange(NodeId Peer, long Session, long Number, LogPosition From, int BytesMax) : RaftEffect;

/// <summary>Everything before the position is committed; it may exceed the own durable position.</summary>
public sealed record CommitTo(LogPosition Position) : RaftEffect;

/// <summary>
/// The leader's log begins behind what this log has: fetch a snapshot from it, unless that is under way. Repeated while it is so.
/// </summary>
public sealed record SnapshotNeeded(NodeId Leader) : RaftEffect;

/// <summary>Role, term or known leader changed.</summary>
public sealed record RoleChanged(RaftRole Role, Term Term, NodeId Leader) : RaftEffect;

/// <summary>Close the connection of a peer that sent what it must not send.</summary>
public sealed record CloseSession(NodeId Peer, long Session, string Reason) : RaftEffect;

/// <summary>A transfer ended; true when this node leads no more.</summary>
public sealed record TransferFinished(bool IsSuccess) : RaftEffect;

/// <summary>
/// This node led after the question was asked (<see cref="RaftCore.ConfirmLeadership"/>), and so after all questions before it.
/// </summary>
public sealed record LeadershipConfirmed(long Request) : RaftEffect;

/// <summary>Safety can no longer be promised: stop the process and keep its files. The core does nothing any more.</summary>
public sealed record Halt(string Reason) : RaftEffect;
