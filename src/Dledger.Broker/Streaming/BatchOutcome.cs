using Dledger.Broker.Messages;
using Dledger.Primitives;

namespace Dledger.Broker.Streaming;

/// <summary>What became of a batch of records.</summary>
/// <param name="Failure">Null when all are stored; else the first refusal.</param>
/// <param name="QueueId">The queue of all of them.</param>
/// <param name="FirstOffset">Of the first; the others follow without gaps. Nothing unless <paramref name="Entries"/> is null.</param>
/// <param name="StoreTimeMicroseconds">Log time of their frame, microseconds since 1970 (UTC).</param>
/// <param name="Entries">One for each message where they differ; null when all are new and stand side by side, or none is stored.</param>
public sealed record BatchOutcome(
    BrokerFailure? Failure,
    int QueueId = -1,
    QueueOffset FirstOffset = default,
    long StoreTimeMicroseconds = 0,
    IReadOnlyList<AppendEntry>? Entries = null)
{
    /// <summary>Nothing of it is stored.</summary>
    public static BatchOutcome Of(BrokerFailure failure) => new(failure);

    /// <summary>The outcome of the same messages as drafts.</summary>
    public static BatchOutcome Of(AppendOutcome outcome) => outcome.Entries.Count == 0
        ? new(outcome.Failure)
        : new(outcome.Failure, Entries: outcome.Entries);
}
