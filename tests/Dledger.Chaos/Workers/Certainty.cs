namespace Dledger.Chaos.Workers;

/// <summary>What is known of an operation when its call has ended.</summary>
internal enum Certainty
{
    /// <summary>It has taken effect.</summary>
    Done,

    /// <summary>It certainly has no effect, now and later.</summary>
    Refused,

    /// <summary>It may have taken effect, or still may.</summary>
    Unknown,
}
