using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Forwarding;

/// <summary>One unary RPC that the leader answers, made of functions: what it does there, how it is asked of another node, and the answer
/// that carries a failure.</summary>
internal sealed class LeaderCall<TRequest, TResponse>(
    string method,
    bool isRepeatable,
    Func<ClientCall, TRequest, CancellationToken, ValueTask<LocalOutcome<TResponse>>> run,
    Func<NodeChannels, NodeId, TRequest, CallOptions, AsyncUnaryCall<TResponse>> forward,
    Func<BrokerFailure, TResponse> refuse)
    : ILeaderHandler<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    /// <summary>An RPC of RocketMQ's services.</summary>
    public LeaderCall(
        string method,
        bool isRepeatable,
        Func<ClientCall, TRequest, CancellationToken, ValueTask<LocalOutcome<TResponse>>> run,
        Func<NodeChannels, NodeId, TRequest, CallOptions, AsyncUnaryCall<TResponse>> forward,
        Func<Wire.Status, TResponse> refuse)
        : this(method, isRepeatable, run, forward, failure => refuse(StatusMapping.Of(failure)))
    {
    }

    /// <summary>An RPC of the administration, which does not care who calls.</summary>
    public LeaderCall(
        string method,
        bool isRepeatable,
        Func<TRequest, CancellationToken, ValueTask<LocalOutcome<TResponse>>> run,
        Func<NodeChannels, NodeId, TRequest, CallOptions, AsyncUnaryCall<TResponse>> forward,
        Func<AdminStatus, TResponse> refuse)
        : this(method, isRepeatable, (_, request, token) => run(request, token), forward, failure => refuse(StatusMapping.AdminOf(failure)))
    {
    }

    public string Method => method;

    public bool IsRepeatable => isRepeatable;

    public bool MovesLeadership { get; init; }

    /// <summary>What is wrong with the arguments; asked on the node that the caller reached, before anybody else is bothered.</summary>
    public Func<ClientCall, TRequest, BrokerFailure?>? Check { get; init; }

    public ValueTask<LocalOutcome<TResponse>> RunAsync(
        ClientCall call, TRequest request, CancellationToken cancellationToken) => run(call, request, cancellationToken);

    public AsyncUnaryCall<TResponse> Forward(
        NodeChannels channels, NodeId leader, TRequest request, CallOptions options) =>
        forward(channels, leader, request, options);

    public TResponse Refuse(BrokerFailure failure) => refuse(failure);

    public TResponse Refuse(TRequest request, BrokerFailure failure) => refuse(failure);
}
