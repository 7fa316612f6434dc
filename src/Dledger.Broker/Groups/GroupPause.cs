namespace Dledger.Broker.Groups;

/// <summary>A group that is given no messages for a while.</summary>
/// <param name="Reason">What the operator said; may be empty.</param>
/// <param name="SinceMicroseconds">Log time of its beginning.</param>
/// <param name="UntilMicroseconds">Log time of its end; <see cref="long.MaxValue"/> when only an operator ends it.</param>
public sealed record GroupPause(string Reason, long SinceMicroseconds, long UntilMicroseconds);
