namespace Dledger.Broker.Deduplication;

/// <summary>By what a group knows that it has processed a message. Persisted numbers.</summary>
public enum DedupSource
{
    /// <summary>It does not look.</summary>
    None = 0,

    /// <summary>The message id.</summary>
    MessageId = 1,

    /// <summary>The first of its business keys.</summary>
    Key = 2,

    /// <summary>A user property.</summary>
    Property = 3,
}

/// <summary>Which keys of processed messages a group remembers. The default is none.</summary>
/// <param name="Source">What the key of a message is; one without it is delivered as in any group.</param>
/// <param name="Property">The name of the user property, for <see cref="DedupSource.Property"/>; else empty.</param>
/// <param name="WindowMicroseconds">For how long after the acknowledgement, by log time; 0: an hour.</param>
/// <param name="Count">Most keys, the oldest go first; 0: 100,000.</param>
public sealed record DedupSettings(DedupSource Source, string Property, long WindowMicroseconds, long Count)
{
    public static readonly DedupSettings None = new(DedupSource.None, "", 0, 0);

    private const long WindowDefault = 3_600_000_000;
    private const long CountDefault = 100_000;

    public bool IsOn => Source != DedupSource.None;

    /// <summary>How long a key is remembered.</summary>
    public TimeSpan Window => TimeSpan.FromMicroseconds(WindowMicroseconds == 0 ? WindowDefault : WindowMicroseconds);

    /// <summary>How many keys are remembered at most.</summary>
    public long CountMax => Count == 0 ? CountDefault : Count;

    /// <summary>Whether what one remembers means nothing to the other.</summary>
    public bool HasOtherKeys(DedupSettings other) => Source != other.Source || Property != other.Property;
}
