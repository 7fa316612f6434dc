using Dledger.Primitives;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker;

/// <summary>What the broker logs. Ids 3000 to 3999; never reused.</summary>
internal static partial class BrokerEvents
{
    [LoggerMessage(3001, LogLevel.Information,
        "State restored at position {Position}: {Topics} topics, {Groups} groups, {Leases} leases",
        EventName = "StateRestored")]
    public static partial void StateRestored(
        ILogger logger, LogPosition position, int topics, int groups, int leases);

    [LoggerMessage(3002, LogLevel.Warning,
        "State checkpoint at {Position} cannot be used: {Reason}. An older one, or the whole log, is applied instead",
        EventName = "CheckpointUnusable")]
    public static partial void CheckpointUnusable(ILogger logger, LogPosition position, string reason);

    [LoggerMessage(3003, LogLevel.Warning, "State checkpoint skipped: {Fault}", EventName = "CheckpointDamaged")]
    public static partial void CheckpointDamaged(ILogger logger, string fault);

    [LoggerMessage(3004, LogLevel.Information,
        "State checkpoint written at position {Position}: {Bytes} bytes in {Milliseconds} ms",
        EventName = "CheckpointWritten")]
    public static partial void CheckpointWritten(ILogger logger, LogPosition position, long bytes, long milliseconds);

    [LoggerMessage(3005, LogLevel.Error,
        "Record at position {Position} (queue {QueueId}, offset {Offset}) of topic {Topic} cannot be read: {Fault}. " +
        "Verify the log of this node with 'dledger log verify'",
        EventName = "RecordUnreadable")]
    public static partial void RecordUnreadable(
        ILogger logger, LogPosition position, int queueId, long offset, string topic, string fault);

    [LoggerMessage(3006, LogLevel.Error,
        "The message at offset {Offset} of queue {QueueId} in topic {Topic} cannot move to its dead letter topic: " +
        "its record at position {Position} is unreadable",
        EventName = "DeadLetterUnreadable")]
    public static partial void DeadLetterUnreadable(
        ILogger logger, long offset, int queueId, string topic, LogPosition position);

    [LoggerMessage(3007, LogLevel.Information,
        "Topic {Topic} created with {Queues} queues", EventName = "TopicCreated")]
    public static partial void TopicCreated(ILogger logger, string topic, int queues);

    [LoggerMessage(3008, LogLevel.Information, "Topic {Topic} deleted", EventName = "TopicDeleted")]
    public static partial void TopicDeleted(ILogger logger, string topic);

    [LoggerMessage(3009, LogLevel.Information, "Consumer group {Group} created", EventName = "GroupCreated")]
    public static partial void GroupCreated(ILogger logger, string group);

    [LoggerMessage(3010, LogLevel.Information, "Consumer group {Group} deleted", EventName = "GroupDeleted")]
    public static partial void GroupDeleted(ILogger logger, string group);

    [LoggerMessage(3011, LogLevel.Debug, "Message out of attempts: {Count} dead letter copies are owed",
        EventName = "ObligationsOpen")]
    public static partial void ObligationsOpen(ILogger logger, int count);

    [LoggerMessage(3012, LogLevel.Error,
        "The disk has no room for indexes or a state checkpoint; they are written when there is some: {Reason}",
        EventName = "NoSpaceForState")]
    public static partial void NoSpaceForState(ILogger logger, string reason);

    [LoggerMessage(3013, LogLevel.Warning,
        "The disk of this node, which leads, is nearly full; node {Target}, whose disk has room, is asked to take over",
        EventName = "DiskHandOver")]
    public static partial void DiskHandOver(ILogger logger, NodeId target);

    [LoggerMessage(3160, LogLevel.Warning,
        "Clients of consumer group {Group} ask for topic {Topic} with different filters: {Client} with {Filter}, {OtherClient} with "
        + "{OtherFilter}. Nothing is skipped that one of them wants. Give each its own group; 'dledger group describe' shows all",
        EventName = "FiltersMixed")]
    public static partial void FiltersMixed(
        ILogger logger, string group, string topic, string client, string filter, string otherClient, string otherFilter);

    [LoggerMessage(3161, LogLevel.Warning,
        "Client {Client} of consumer group {Group} was refused: it asks for topic {Topic} with filter {Filter}, {OtherClient} with "
        + "{OtherFilter}, and the group rejects that",
        EventName = "FilterRejected")]
    public static partial void FilterRejected(
        ILogger logger, string client, string group, string topic, string filter, string otherClient, string otherFilter);

    [LoggerMessage(3260, LogLevel.Information,
        "{Count} messages of queue {QueueId} of topic {Topic}, which consumer group {Group} had finished, wait for it again: they were "
        + "replayed by an operator",
        EventName = "MessagesReplayed")]
    public static partial void MessagesReplayed(ILogger logger, int count, int queueId, string topic, string group);

    [LoggerMessage(3261, LogLevel.Information,
        "Client {Client} is no member of broadcast group {Group} any more, because {Reason}: what it had not consumed is forgotten",
        EventName = "MemberEnded")]
    public static partial void MemberEnded(ILogger logger, string client, string group, string reason);

    [LoggerMessage(3262, LogLevel.Information,
        "{Count} dead letters of consumer group {Group} were sent again, {Target}",
        EventName = "LettersSentAgain")]
    public static partial void LettersSentAgain(ILogger logger, int count, string group, string target);

    [LoggerMessage(3200, LogLevel.Warning,
        "The key index lacks a part for now, so searches by id or key are incomplete and say so: {Reason}",
        EventName = "KeyIndexReduced")]
    public static partial void KeyIndexReduced(ILogger logger, string reason);

    [LoggerMessage(3140, LogLevel.Error,
        "The undecided message at position {Position} of topic {Topic} cannot be set aside: its record is unreadable",
        EventName = "HalfMessageUnreadable")]
    public static partial void HalfMessageUnreadable(ILogger logger, LogPosition position, string topic);

    [LoggerMessage(3120, LogLevel.Error,
        "A delayed message of topic number {TopicId} is due, but its record at position {Position} is unreadable; it is tried again",
        EventName = "TimerUnreadable")]
    public static partial void TimerUnreadable(ILogger logger, LogPosition position, int topicId);
}
