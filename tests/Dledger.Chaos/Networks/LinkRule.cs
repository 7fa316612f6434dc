namespace Dledger.Chaos.Networks;

/// <summary>What happens to frames from one port to another. The default lets everything pass at once.</summary>
internal sealed record LinkRule
{
    public static readonly LinkRule Open = new();

    public static readonly LinkRule Closed = new() { IsCut = true };

    /// <summary>Nothing passes, silently.</summary>
    public bool IsCut { get; init; }

    /// <summary>Every TCP segment arrives as a reset of its connection.</summary>
    public bool IsReset { get; init; }

    /// <summary>Part of the frames that is dropped, 0..1.</summary>
    public double Loss { get; init; }

    /// <summary>Part of the frames that arrives twice, 0..1.</summary>
    public double Duplication { get; init; }

    /// <summary>The narrow line that all frames of all links with this rule share; null: there is room for everything.
    /// </summary>
    public LinkShaper? Shaper { get; init; }

    public TimeSpan Delay { get; init; }

    /// <summary>On top of the delay, even between zero and this; frames overtake each other.</summary>
    public TimeSpan Jitter { get; init; }
}
