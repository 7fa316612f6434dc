namespace Dledger.Broker.Parking;

/// <summary>Which parked messages of a consumer group are meant; everything that is null selects all.</summary>
public sealed record ParkingSelection
{
    public required string Group { get; init; }

    public string? Topic { get; init; }

    public int? QueueId { get; init; }

    /// <summary>The queue offset of one message; needs topic and queue.</summary>
    public long? Offset { get; init; }

    /// <summary>
    /// The message group. Another one whose hash is the same is meant as well; the answer of a list shows both.
    /// </summary>
    public string? MessageGroup { get; init; }
}
