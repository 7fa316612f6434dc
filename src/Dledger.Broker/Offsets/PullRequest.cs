using Dledger.Broker.Filtering;
using Dledger.Broker.Messages;

namespace Dledger.Broker.Offsets;

/// <summary>Reads a queue from an offset on: no lease, no progress, nothing changes.</summary>
public sealed record PullRequest
{
    /// <summary>Who reads; checked as a name only, it need not exist.</summary>
    public required string Group { get; init; }

    public required string Topic { get; init; }

    public required int QueueId { get; init; }

    /// <summary>The first queue offset to look at.</summary>
    public required long Offset { get; init; }

    /// <summary>Most messages to answer, as for a receive.</summary>
    public int BatchSize { get; init; } = 1;

    /// <summary>Bytes of records at which an answer ends; one record may be larger.</summary>
    public int BytesMax { get; init; } = 8 << 20;

    public MessageFilter Filter { get; init; } = MessageFilter.All;

    /// <summary>How long to wait for the first message; zero answers at once.</summary>
    public TimeSpan LongPoll { get; init; }

    public string ClientId { get; init; } = "";
}

/// <summary>What a pull brought.</summary>
/// <param name="Failure">Null on success, with or without messages.</param>
/// <param name="Messages">In the order of their offsets; without receipt handles.</param>
/// <param name="NextOffset">
/// Where to read on: everything before was looked at. For an offset outside of the queue the nearest one inside; null when the queue
/// was not looked at.
/// </param>
public sealed record PullOutcome(
    BrokerFailure? Failure, IReadOnlyList<DeliveredMessage> Messages, long? NextOffset)
{
    public static PullOutcome Of(BrokerFailure failure) => new(failure, [], null);
}

/// <summary>What a read of records brought; they are in the slice that was given.</summary>
/// <param name="Failure">Null on success, with or without records.</param>
/// <param name="NextOffset">As in <see cref="PullOutcome"/>.</param>
/// <param name="EndOffset">The end of the queue.</param>
public readonly record struct SliceOutcome(BrokerFailure? Failure, long? NextOffset, long EndOffset)
{
    public static SliceOutcome Of(BrokerFailure failure) => new(failure, null, 0);
}
