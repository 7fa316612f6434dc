namespace Dledger.Bench.Running;

/// <summary>How a load receives.</summary>
public sealed record ConsumeShape
{
    /// <summary>Messages of one receive at most.</summary>
    public required int CountMax { get; init; }

    /// <summary>What its latencies are.</summary>
    public ConsumeLatency Latency { get; init; }

    /// <summary>How often a message is given back before it is acknowledged.</summary>
    public int Returns { get; init; }

    /// <summary>Ends after so many acknowledged messages; null: with the time.</summary>
    public long? MessagesMax { get; init; }

    /// <summary>
    /// Goes on behind the end of the window until it has received all that this load has sent: what comes late belongs into the
    /// percentiles, and what does not come within some seconds is counted as missing. Null: ends with the time.
    /// </summary>
    public ProduceLoad? Follows { get; init; }
}

/// <summary>What the latencies of a load that receives are.</summary>
public enum ConsumeLatency
{
    /// <summary>Of each receive that brought something, with its acknowledgement.</summary>
    Call = 0,

    /// <summary>Of each message, from the moment at which it should have been sent.</summary>
    EndToEnd = 1,
}
