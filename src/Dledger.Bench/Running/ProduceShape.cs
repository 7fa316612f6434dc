namespace Dledger.Bench.Running;

/// <summary>How a load sends.</summary>
public sealed record ProduceShape
{
    /// <summary>Sends at the same time; at a fixed rate the most of them.</summary>
    public required int InFlight { get; init; }

    /// <summary>Messages of one send.</summary>
    public int BatchCount { get; init; } = 1;

    /// <summary>Bytes of each body; at least 24.</summary>
    public required int BodyBytes { get; init; }

    /// <summary>Percent of each body that says the same again and again, and so compresses; the rest is noise.</summary>
    public int Repetition { get; init; }

    /// <summary>Sends go to so many topics in turn.</summary>
    public int TopicCount { get; init; } = 1;

    /// <summary>The first of them.</summary>
    public int TopicFirst { get; init; }

    /// <summary>Messages a second; null: each send begins when an earlier one has ended.</summary>
    public double? Rate { get; init; }

    /// <summary>Ends after so many messages; null: with the time.</summary>
    public long? MessagesMax { get; init; }
}
