using Dledger.Primitives;

namespace Dledger.Broker.Lites;

/// <summary>A lite topic at one moment.</summary>
/// <param name="Name">Its name within the parent.</param>
/// <param name="QueueId">The queue of the parent that it has.</param>
/// <param name="Min">Its first kept message.</param>
/// <param name="Max">The offset that its next message gets.</param>
/// <param name="CreatedAtMicroseconds">Log time of its creation.</param>
/// <param name="LastActiveMicroseconds">Log time of its newest message, or of its creation.</param>
public readonly record struct LiteDescription(
    string Name, int QueueId, QueueOffset Min, QueueOffset Max, long CreatedAtMicroseconds, long LastActiveMicroseconds);

/// <summary>Some lite topics of a parent, by name.</summary>
/// <param name="Failure">Null on success.</param>
/// <param name="Lites">A page.</param>
/// <param name="HasMore">Whether more follow behind the last of them.</param>
public sealed record LitePage(BrokerFailure? Failure, IReadOnlyList<LiteDescription> Lites, bool HasMore);
