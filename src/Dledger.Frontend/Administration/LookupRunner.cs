using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend.Administration;

/// <summary>Runs the calls of the look-up services; a fault of ours becomes an answer and a log event.</summary>
internal sealed class LookupRunner(LeaderRouter router, TimeProvider time, ILogger logger)
{
    public async Task<TResponse> RunAsync<TRequest, TResponse>(
        LookupCall<TRequest, TResponse> lookup, TRequest request, ServerCallContext context)
        where TRequest : class
        where TResponse : class
    {
        var call = new ClientCall(context, time);
        try
        {
            return await router.CallAsync(lookup, call, request);
        }
        catch (Exception exception) when (
            exception is not RpcException && !call.CancellationToken.IsCancellationRequested)
        {
            FrontendEvents.CallFailed(logger, exception, context.Method, call.ClientId);
            return lookup.Refuse(request, new BrokerFailure(BrokerError.None, "the server failed; see its log"));
        }
    }
}
