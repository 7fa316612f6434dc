using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;
using Service = Dledger.Protocol.Producer.V1.ProducerService;

namespace Dledger.Frontend.Producing;

/// <summary>One RPC of <see cref="NumberedProducerService"/> as <see cref="LeaderRouter"/> runs it.</summary>
internal sealed class ProducerCall<TRequest, TResponse>(
    string method,
    Func<TRequest, CancellationToken, ValueTask<LocalOutcome<TResponse>>> run,
    Func<Service.ProducerServiceClient, TRequest, CallOptions, AsyncUnaryCall<TResponse>> forward,
    Func<AdminStatus, TResponse> refuse)
    : ILeaderHandler<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    public string Method => method;

    // A producer that was made and not answered is used by nobody and forgotten in time.
    public bool IsRepeatable => true;

    public ValueTask<LocalOutcome<TResponse>> RunAsync(
        ClientCall call, TRequest request, CancellationToken cancellationToken) => run(request, cancellationToken);

    public AsyncUnaryCall<TResponse> Forward(
        NodeChannels channels, NodeId leader, TRequest request, CallOptions options) =>
        forward(channels.NumberedProducers(leader), request, options);

    public TResponse Refuse(TRequest request, BrokerFailure failure) => refuse(StatusMapping.AdminOf(failure));
}
