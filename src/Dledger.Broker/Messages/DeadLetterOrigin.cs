using Dledger.Primitives;

namespace Dledger.Broker.Messages;

/// <summary>Where a dead letter came from, and why it is one.</summary>
/// <param name="Topic">The topic that it was sent to.</param>
/// <param name="MessageId">Its id.</param>
/// <param name="QueueId">Its queue there.</param>
/// <param name="QueueOffset">Its queue offset there.</param>
/// <param name="Attempts">How often it was delivered.</param>
/// <param name="Reason">Why it was given up.</param>
/// <param name="StoredAtMicroseconds">Log time at which it was stored there; that of the copy is when it was given up.</param>
/// <param name="ClientId">Which client of a broadcast group gave it up; empty in other groups.</param>
public readonly record struct DeadLetterOrigin(
    string Topic,
    string MessageId,
    int QueueId,
    QueueOffset QueueOffset,
    int Attempts,
    DeadLetterReason Reason,
    long StoredAtMicroseconds,
    string ClientId = "");
