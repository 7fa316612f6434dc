using Dledger.Broker;
using Dledger.Frontend.Calls;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend.Forwarding;

/// <summary>Runs the calls of a service: checks arguments, brings to the leader what belongs there, and turns a fault of ours into an
/// answer and a log event. Safe for any thread.</summary>
internal sealed class CallGuard(LeaderRouter router, TimeProvider time, ILogger logger)
{
    private const string Failed = "the server failed; see its log";

    /// <summary>On the leader.</summary>
    public Task<TResponse> RunAsync<TRequest, TResponse>(
        LeaderCall<TRequest, TResponse> rpc, TRequest request, ServerCallContext context)
        where TRequest : class
        where TResponse : class =>
        RunHereAsync(
            context,
            call => rpc.Check?.Invoke(call, request) is { } failure
                ? Task.FromResult(rpc.Refuse(failure))
                : router.CallAsync(rpc, call, request),
            rpc.Refuse);

    /// <summary>On this node, whoever leads.</summary>
    public async Task<TResponse> RunHereAsync<TResponse>(
        ServerCallContext context, Func<ClientCall, Task<TResponse>> run, Func<BrokerFailure, TResponse> refuse)
    {
        var call = new ClientCall(context, time);
        try
        {
            return await run(call);
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            return refuse(FailureOf(exception, call, context));
        }
    }

    /// <summary>The same for what is called all the time.</summary>
    public async Task<TResponse> RunHereAsync<TRequest, TResponse>(
        ServerCallContext context, TRequest request, ICallHandler<TRequest, TResponse> handler)
    {
        var call = new ClientCall(context, time);
        try
        {
            var response = await handler.HandleAsync(call, request);
            handler.Answered(response);
            return response;
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            return handler.Refuse(request, StatusMapping.Of(FailureOf(exception, call, context)));
        }
    }

    /// <summary>On this node, with an answer of several frames, of which the gRPC status tells a fault.</summary>
    public async Task RunStreamAsync(ServerCallContext context, Func<ClientCall, Task> run)
    {
        var call = new ClientCall(context, time);
        try
        {
            await run(call);
        }
        catch (Exception exception) when (
            exception is not RpcException && !call.CancellationToken.IsCancellationRequested)
        {
            FrontendEvents.CallFailed(logger, exception, context.Method, call.ClientId);
            throw new RpcException(new Status(StatusCode.Internal, Failed));
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            throw CallerGone();
        }
    }

    private BrokerFailure FailureOf(Exception exception, ClientCall call, ServerCallContext context)
    {
        if (call.CancellationToken.IsCancellationRequested)
        {
            throw CallerGone();
        }

        // The text of an exception is for the log, not for whoever caused it.
        FrontendEvents.CallFailed(logger, exception, context.Method, call.ClientId);
        return new BrokerFailure(BrokerError.None, Failed);
    }

    private static RpcException CallerGone() => new(new Status(StatusCode.Cancelled, "the caller has gone"));
}
