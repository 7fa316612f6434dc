using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Primitives;
using Grpc.Core;

namespace Dledger.Frontend.Forwarding;

/// <summary>A unary RPC that only the leader can answer. <see cref="LeaderRouter"/> runs it there.</summary>
internal interface ILeaderHandler<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    /// <summary>Name of the RPC, for log events.</summary>
    string Method { get; }

    /// <summary>Doing it twice is the same as doing it once, so it may be tried again when the outcome is
    /// unknown.</summary>
    bool IsRepeatable { get; }

    /// <summary>
    /// Its success may be that another node leads: then the old leader still knows the answer, and is waited for.
    /// </summary>
    bool MovesLeadership => false;

    /// <summary>Does it here. Cancelling stops the waiting, not what was proposed.</summary>
    ValueTask<LocalOutcome<TResponse>> RunAsync(
        ClientCall call, TRequest request, CancellationToken cancellationToken);

    /// <summary>Asks another node to do it.</summary>
    AsyncUnaryCall<TResponse> Forward(NodeChannels channels, NodeId leader, TRequest request, CallOptions options);

    /// <summary>The answer that carries a failure, in the response and in every entry.</summary>
    TResponse Refuse(TRequest request, BrokerFailure failure);

    /// <summary>
    /// Whether an answer of another node claims that nothing was done, of which it knows for its own try only. False where
    /// that stays true whatever was tried before: an ack that had effect is OK when it is repeated.
    /// </summary>
    bool SaysNothingWasDone(TResponse response) => false;
}
