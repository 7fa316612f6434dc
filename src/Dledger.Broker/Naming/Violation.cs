namespace Dledger.Broker.Naming;

/// <summary>A broken rule and a sentence that names the field, the value's size and the limit.</summary>
public readonly record struct Violation(BrokenRule Rule, string Detail);
