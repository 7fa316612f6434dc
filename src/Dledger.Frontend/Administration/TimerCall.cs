using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Frontend.Administration;

/// <summary>One RPC of the administration of delayed messages as <see cref="LeaderRouter"/> runs it.</summary>
internal sealed class TimerCall<TRequest>(
    string method,
    bool isRepeatable,
    Func<TRequest, CancellationToken, ValueTask<LocalOutcome<TimersResponse>>> run,
    Func<TimerAdminService.TimerAdminServiceClient, TRequest, CallOptions, AsyncUnaryCall<TimersResponse>> forward)
    : ILeaderHandler<TRequest, TimersResponse>
    where TRequest : class
{
    public string Method => method;

    public bool IsRepeatable => isRepeatable;

    public ValueTask<LocalOutcome<TimersResponse>> RunAsync(
        ClientCall call, TRequest request, CancellationToken cancellationToken) => run(request, cancellationToken);

    public AsyncUnaryCall<TimersResponse> Forward(
        NodeChannels channels, NodeId leader, TRequest request, CallOptions options) =>
        forward(channels.Timers(leader), request, options);

    public TimersResponse Refuse(TRequest request, BrokerFailure failure) =>
        new() { Status = StatusMapping.AdminOf(failure) };
}
