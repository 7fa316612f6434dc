using Dledger.Broker.Naming;
using Dledger.Primitives;

namespace Dledger.Broker;

/// <summary>An expected refusal: what kind, a sentence for people, and where to go.</summary>
/// <param name="Error">The kind.</param>
/// <param name="Detail">What happened, on what, and what to try.</param>
/// <param name="Leader">
/// The known leader for <see cref="BrokerError.NotLeader"/>, else <see cref="NodeId.None"/>.
/// </param>
/// <param name="Rule">
/// The broken rule for <see cref="BrokerError.InvalidArgument"/> and <see cref="BrokerError.TooLarge"/>.
/// </param>
public readonly record struct BrokerFailure(
    BrokerError Error, string Detail, NodeId Leader = default, BrokenRule Rule = BrokenRule.None)
{
    /// <summary>For <see cref="BrokerError.QuotaExceeded"/>: when the same may pass; the detail says it as well.</summary>
    public TimeSpan RetryAfter { get; init; }

    /// <summary>The refusal of a request that breaks a rule of <see cref="Limits"/>.</summary>
    public static BrokerFailure Of(Violation violation) => new(
        violation.Rule is BrokenRule.BodyTooLarge or BrokenRule.PropertiesTooLarge
            ? BrokerError.TooLarge
            : BrokerError.InvalidArgument,
        violation.Detail,
        Rule: violation.Rule);

    /// <inheritdoc/>
    public override string ToString() => $"{Error}: {Detail}";
}
