namespace Dledger.Client.Consuming;

/// <summary>What one receive asks for.</summary>
public sealed record ReceiveOptions
{
    /// <summary>Messages at most, 1..32.</summary>
    public int CountMax { get; init; } = 32;

    /// <summary>How long the messages stay invisible to others unless acknowledged; 10 s..12 h.</summary>
    public TimeSpan InvisibleDuration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait for the first message; the server waits 20 s at most.</summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary><c>*</c>, one tag, or tags with <c>||</c> between them.</summary>
    public string TagExpression { get; init; } = "*";
}
