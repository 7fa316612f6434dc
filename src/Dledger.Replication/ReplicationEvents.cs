using Dledger.Primitives;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication;

/// <summary>The log lines of replication: ids 2000 to 2999, never reused.</summary>
internal static partial class ReplicationEvents
{
    [LoggerMessage(2000, LogLevel.Information,
        "Node {Node} starts on cluster {ClusterId}: term {Term}, log end {End}, commit at least {Commit}",
        EventName = "NodeStarted")]
    public static partial void NodeStarted(
        ILogger logger, NodeId node, Guid clusterId, Term term, LogPosition end, LogPosition commit);

    [LoggerMessage(2001, LogLevel.Information,
        "Node {Node} is {Role} in term {Term}, leader {Leader}",
        EventName = "RoleChanged")]
    public static partial void RoleChanged(ILogger logger, NodeId node, Raft.RaftRole role, Term term, NodeId leader);

    [LoggerMessage(2002, LogLevel.Information,
        "Node {Node} serves as the leader of term {Term}",
        EventName = "ServingBegan")]
    public static partial void ServingBegan(ILogger logger, NodeId node, Term term);

    [LoggerMessage(2003, LogLevel.Information, "Node {Node} has stopped: {Reason}", EventName = "NodeStopped")]
    public static partial void NodeStopped(ILogger logger, NodeId node, string reason);

    [LoggerMessage(2004, LogLevel.Critical, "Node {Node} ends its service: {Reason}", EventName = "NodeFaulted")]
    public static partial void NodeFaulted(ILogger logger, NodeId node, string reason, Exception? exception);

    [LoggerMessage(2005, LogLevel.Error, "Node {Node} takes no part: {Reason}", EventName = "NodeUnavailable")]
    public static partial void NodeUnavailable(ILogger logger, NodeId node, string reason);

    [LoggerMessage(2006, LogLevel.Information,
        "Node {Node} waits for the first contact with all members",
        EventName = "BootstrapWaits")]
    public static partial void BootstrapWaits(ILogger logger, NodeId node);

    [LoggerMessage(2007, LogLevel.Information,
        "Node {Node} is now part of cluster {ClusterId}",
        EventName = "GenesisKept")]
    public static partial void GenesisKept(ILogger logger, NodeId node, Guid clusterId);

    [LoggerMessage(2009, LogLevel.Warning,
        "The log ended in an interrupted write; its end is now {End}",
        EventName = "TornTailCut")]
    public static partial void TornTailCut(ILogger logger, LogPosition end);

    [LoggerMessage(2010, LogLevel.Warning,
        "The log is cut to {Position}: its uncommitted tail differs from the leader's",
        EventName = "LogTruncated")]
    public static partial void LogTruncated(ILogger logger, LogPosition position);

    [LoggerMessage(2011, LogLevel.Information,
        "Transfer of leadership ended, success: {IsSuccess}",
        EventName = "TransferEnded")]
    public static partial void TransferEnded(ILogger logger, bool isSuccess);

    [LoggerMessage(2012, LogLevel.Warning, "On node {Node} {What} did not end in time", EventName = "ThreadLate")]
    public static partial void ThreadLate(ILogger logger, string what, NodeId node);

    [LoggerMessage(2013, LogLevel.Error,
        "The log is damaged at {Position}, what was durable is wrong there: {Reason}",
        EventName = "DamageFound")]
    public static partial void DamageFound(ILogger logger, LogPosition position, string reason);

    [LoggerMessage(2014, LogLevel.Warning,
        "The log was mended at {Position} with {Length} bytes of node {Peer}",
        EventName = "RangeRepaired")]
    public static partial void RangeRepaired(ILogger logger, LogPosition position, int length, NodeId peer);

    [LoggerMessage(2015, LogLevel.Error,
        "The frames of node {Peer} for the damage at {Position} do not fit: {Reason}",
        EventName = "RepairRefused")]
    public static partial void RepairRefused(ILogger logger, LogPosition position, NodeId peer, string reason);

    [LoggerMessage(2016, LogLevel.Warning,
        "Node {Node} opens its log anew: {Reason}",
        EventName = "LogReopened")]
    public static partial void LogReopened(ILogger logger, NodeId node, string reason);

    [LoggerMessage(2017, LogLevel.Error, "Reading the log for damage has ended", EventName = "ScrubFailed")]
    public static partial void ScrubFailed(ILogger logger, Exception exception);

    [LoggerMessage(2018, LogLevel.Warning,
        "The header page of the segment at {Position} has rotted; it is written again",
        EventName = "SegmentHeaderRotten")]
    public static partial void SegmentHeaderRotten(ILogger logger, LogPosition position);

    [LoggerMessage(2019, LogLevel.Information, "The log begins at {Start} now", EventName = "LogStartAdvanced")]
    public static partial void LogStartAdvanced(ILogger logger, LogPosition start);

    [LoggerMessage(2020, LogLevel.Information,
        "The log of leader {Leader} begins behind what this node has: a snapshot is fetched",
        EventName = "SnapshotWanted")]
    public static partial void SnapshotWanted(ILogger logger, NodeId leader);

    [LoggerMessage(2021, LogLevel.Information,
        "Fetching the snapshot at {Applied}, log from {LogStart} on: {PartCount} parts, {Bytes} bytes, of node {Source}",
        EventName = "SnapshotBegun")]
    public static partial void SnapshotBegun(
        ILogger logger, LogPosition applied, LogPosition logStart, int partCount, long bytes, NodeId source);

    [LoggerMessage(2022, LogLevel.Information,
        "The snapshot at {Applied} is complete and verified",
        EventName = "SnapshotStaged")]
    public static partial void SnapshotStaged(ILogger logger, LogPosition applied);

    [LoggerMessage(2023, LogLevel.Warning,
        "Fetching a snapshot was interrupted and is tried again: {Reason}",
        EventName = "SnapshotInterrupted")]
    public static partial void SnapshotInterrupted(ILogger logger, string reason);

    [LoggerMessage(2024, LogLevel.Warning,
        "The snapshot at {Applied} takes the place of the own log and state; the log begins at {LogStart}",
        EventName = "SnapshotInstalled")]
    public static partial void SnapshotInstalled(ILogger logger, LogPosition applied, LogPosition logStart);

    [LoggerMessage(2025, LogLevel.Information,
        "The snapshot at {Applied} is not needed any more",
        EventName = "SnapshotDiscarded")]
    public static partial void SnapshotDiscarded(ILogger logger, LogPosition applied);

    [LoggerMessage(2026, LogLevel.Information,
        "On node {Node} the configuration at {Position} is in force, committed: {IsCommitted}: {Configuration}",
        EventName = "ConfigurationChanged")]
    public static partial void ConfigurationChanged(
        ILogger logger,
        NodeId node,
        Raft.Quorums.Configuration configuration,
        LogPosition position,
        bool isCommitted);

    [LoggerMessage(2027, LogLevel.Information,
        "A change of the members ended: {Outcome} {Reason}",
        EventName = "ConfigurationChangeEnded")]
    public static partial void ConfigurationChangeEnded(
        ILogger logger, Raft.Effects.ConfigurationChangeOutcome outcome, string reason);

    [LoggerMessage(2028, LogLevel.Information,
        "Leadership is kept away from node {Node}: {IsDrained}",
        EventName = "Drained")]
    public static partial void Drained(ILogger logger, NodeId node, bool isDrained);

    [LoggerMessage(2029, LogLevel.Warning,
        "Node {Node} may have lost messages that it had acknowledged: it did not sync them, and the machine has booted since. "
        + "It decides nothing until it has caught up",
        EventName = "MayHaveLost")]
    public static partial void MayHaveLost(ILogger logger, NodeId node);

    [LoggerMessage(2040, LogLevel.Error,
        "Node {Node} gives its log up and takes it anew from the others; until it has caught up it decides nothing: {Reason}",
        EventName = "LogGivenUp")]
    public static partial void LogGivenUp(ILogger logger, NodeId node, string reason);

    [LoggerMessage(2030, LogLevel.Information,
        "Connected to node {Peer}, session {Session}",
        EventName = "SessionOpened")]
    public static partial void SessionOpened(ILogger logger, NodeId peer, long session);

    [LoggerMessage(2031, LogLevel.Information,
        "Connection to node {Peer}, session {Session}, ended: {Reason}",
        EventName = "SessionClosed")]
    public static partial void SessionClosed(ILogger logger, NodeId peer, long session, string reason);

    [LoggerMessage(2032, LogLevel.Information,
        "Connection from node {Peer}, session {Session}, ended: {Reason}",
        EventName = "InboundSessionClosed")]
    public static partial void InboundSessionClosed(ILogger logger, NodeId peer, long session, string reason);

    [LoggerMessage(2033, LogLevel.Warning,
        "Cannot connect to node {Peer} at {Host}:{Port}: {Reason}",
        EventName = "DialFailed")]
    public static partial void DialFailed(ILogger logger, NodeId peer, string host, int port, string reason);

    [LoggerMessage(2034, LogLevel.Warning,
        "Connection from {Remote} refused: {Reason}",
        EventName = "ConnectionRefused")]
    public static partial void ConnectionRefused(ILogger logger, string remote, string reason);

    [LoggerMessage(2035, LogLevel.Warning, "Accepting a connection failed: {Reason}", EventName = "AcceptFailed")]
    public static partial void AcceptFailed(ILogger logger, string reason);

    [LoggerMessage(2036, LogLevel.Error, "A peer thread for node {Peer} failed", EventName = "PeerThreadFailed")]
    public static partial void PeerThreadFailed(ILogger logger, NodeId peer, Exception exception);

    [LoggerMessage(2037, LogLevel.Error,
        "The disk of node {NodeId} is {UsedPercent} % used, {FreeBytes} bytes are free: the leader is told that this node has no room for "
        + "messages; free space now",
        EventName = "DiskAlarm")]
    public static partial void DiskAlarm(ILogger logger, NodeId nodeId, int usedPercent, long freeBytes);

    [LoggerMessage(2038, LogLevel.Warning,
        "The disk of node {NodeId} is {UsedPercent} % used, {FreeBytes} bytes are free: as the leader it takes no messages",
        EventName = "DiskNearlyFull")]
    public static partial void DiskNearlyFull(ILogger logger, NodeId nodeId, int usedPercent, long freeBytes);

    [LoggerMessage(2039, LogLevel.Information,
        "The disk of node {NodeId} has room again: {UsedPercent} % used, {FreeBytes} bytes are free",
        EventName = "DiskHasRoom")]
    public static partial void DiskHasRoom(ILogger logger, NodeId nodeId, int usedPercent, long freeBytes);

    [LoggerMessage(2041, LogLevel.Warning, "How full the disk is could not be found out: {Reason}",
        EventName = "DiskNotMeasured")]
    public static partial void DiskNotMeasured(ILogger logger, string reason);
}
