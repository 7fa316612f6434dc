namespace Dledger.Client.Producing;

/// <summary>How a <see cref="Producer"/> sends.</summary>
public sealed record ProducerOptions
{
    /// <summary>
    /// Number the messages, so that a send which is repeated after an unknown outcome is stored once. Nodes that do not offer it get
    /// messages without numbers.
    /// </summary>
    public bool IsNumbered { get; init; } = true;

    /// <summary>
    /// Up to 120 letters, digits, '%', '-', '_', '|' and '.'. Who takes a name fences the producer that had it before, so of two
    /// processes with one name only the later one sends. Such a producer has one batch in flight. Null: a producer of its own.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>Most batches in flight, 1 to 64; further sends wait for one of them.</summary>
    public int InFlightMax { get; init; } = 5;
}
