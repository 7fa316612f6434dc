namespace Dledger.Chaos.Checking;

/// <summary>One send with all its attempts.</summary>
internal sealed class SendRecord
{
    public required string Id { get; init; }

    public required string Worker { get; init; }

    public required string Topic { get; init; }

    /// <summary>When it was invoked, ns.</summary>
    public required long Begin { get; init; }

    /// <summary>When it ended, ns; never: the largest number.</summary>
    public long End { get; set; } = long.MaxValue;

    /// <summary><c>ok</c>, <c>fail</c> or <c>info</c>; null: it never ended.</summary>
    public string? Phase { get; set; }

    /// <summary>Acked offset; only with <c>ok</c>.</summary>
    public long Offset { get; set; }

    /// <summary>Attempts that may have taken effect: so often the message may be stored.</summary>
    public int OpenAttempts { get; set; }

    public bool IsAcked => Phase == "ok";
}
