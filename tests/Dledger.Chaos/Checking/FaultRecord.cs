namespace Dledger.Chaos.Checking;

/// <summary>One injected fault.</summary>
internal sealed record FaultRecord
{
    public required string Kind { get; init; }

    /// <summary>When it began, ns.</summary>
    public required long Start { get; init; }

    /// <summary>When it was healed, ns.</summary>
    public long Heal { get; set; } = long.MaxValue;

    /// <summary>When the cluster was whole again, ns.</summary>
    public long End { get; set; } = long.MaxValue;

    /// <summary>There is proof that it bit.</summary>
    public bool Bit { get; set; }

    /// <summary>What the nodes should not have done; empty: nothing.</summary>
    public string Surprise { get; set; } = "";
}
