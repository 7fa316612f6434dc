using Dledger.Broker.Messages;
using Dledger.Primitives;

namespace Dledger.Broker.Letters;

/// <summary>A dead letter as operators see it.</summary>
/// <param name="Message">
/// The copy in the dead letter topic; its <see cref="DeliveredMessage.DeadLetterOrigin"/> names origin, attempts and reason.
/// </param>
/// <param name="IsResent">It was sent to its origin topic again.</param>
public sealed record Letter(DeliveredMessage Message, bool IsResent);

/// <summary>A page of a group's dead letters.</summary>
/// <param name="Failure">Why there is none; null otherwise.</param>
/// <param name="Letters">By queue and offset.</param>
/// <param name="NextQueueId">Where the next page begins; -1 at the end.</param>
/// <param name="NextOffset">The offset in that queue.</param>
public sealed record LetterPage(BrokerFailure? Failure, IReadOnlyList<Letter> Letters, int NextQueueId, QueueOffset NextOffset)
{
    public static LetterPage Of(BrokerFailure failure) => new(failure, [], -1, default);
}

/// <summary>The dead letters of a group that came from one topic.</summary>
/// <param name="Group">The group that failed.</param>
/// <param name="OriginTopic">The topic; empty for what was not looked at.</param>
/// <param name="Count">Letters that are kept.</param>
/// <param name="ResentCount">Those of them that were sent again; for all topics of the group together in each entry.</param>
/// <param name="OldestMicroseconds">When the first became one, microseconds since 1970 (UTC); 0: not looked at.</param>
/// <param name="NewestMicroseconds">When the last did.</param>
public sealed record LetterSummary(
    string Group, string OriginTopic, long Count, long ResentCount, long OldestMicroseconds, long NewestMicroseconds);

/// <summary>How letters are sent again.</summary>
/// <param name="ToGroup">
/// The message itself waits again for the group whose letter it is; else a copy goes to the origin topic, where all groups see it.
/// </param>
/// <param name="IsDryRun">Only says what would become of each.</param>
public readonly record struct LetterResend(bool ToGroup, bool IsDryRun);

/// <summary>Where a letter stands in its dead letter topic.</summary>
public readonly record struct LetterPlace(int QueueId, QueueOffset Offset);
