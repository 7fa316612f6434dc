using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Frontend.Administration;

/// <summary>One RPC of the administration as <see cref="LeaderRouter"/> runs it: three functions and two
/// facts.</summary>
internal sealed class AdminCall<TRequest, TResponse>(
    string method,
    bool isRepeatable,
    Func<TRequest, CancellationToken, ValueTask<LocalOutcome<TResponse>>> run,
    Func<AdminService.AdminServiceClient, TRequest, CallOptions, AsyncUnaryCall<TResponse>> forward,
    Func<AdminStatus, TResponse> refuse)
    : ILeaderHandler<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    public string Method => method;

    public bool IsRepeatable => isRepeatable;

    public bool MovesLeadership { get; init; }

    public ValueTask<LocalOutcome<TResponse>> RunAsync(
        ClientCall call, TRequest request, CancellationToken cancellationToken) => run(request, cancellationToken);

    public AsyncUnaryCall<TResponse> Forward(
        NodeChannels channels, NodeId leader, TRequest request, CallOptions options) =>
        forward(channels.Admin(leader), request, options);

    public TResponse Refuse(TRequest request, BrokerFailure failure) => refuse(StatusMapping.AdminOf(failure));
}
