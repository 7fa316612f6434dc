namespace Dledger.Bench.Running;

/// <summary>A send had come due, and all that may be in flight were until long after the end.</summary>
internal sealed class SendOverdueException() : Exception("The send had come due and could not begin: too many were under way.");
