using Dledger.Broker;
using Dledger.Broker.Naming;

namespace Dledger.Frontend.Forwarding;

/// <summary>What a try to have a request done came to, mostly on this node as leader: an answer, or a failure that the router may act on.</summary>
internal readonly record struct LocalOutcome<TResponse>(TResponse? Response, BrokerFailure? Failure)
    where TResponse : class
{
    /// <summary>Another node made it.</summary>
    public bool IsForwarded { get; init; }

    public static implicit operator LocalOutcome<TResponse>(TResponse response) => new(response, null);

    public static implicit operator LocalOutcome<TResponse>(BrokerFailure failure) => new(null, failure);

    public static implicit operator LocalOutcome<TResponse>(Violation violation) => new(null, BrokerFailure.Of(violation));
}
