using Dledger.GrpcCompat.AspNetCore.Binding;
using Grpc.Core;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>A stream of requests, one response.</summary>
internal sealed class ClientStreamingCallHandler<TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method,
    ServiceActivation<TService> services,
    CallEnvironment environment,
    Func<TService, IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>> invoke)
    : CallHandler<TService>(method, services, environment)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected override async ValueTask InvokeAsync(TService service, ServerCall call)
    {
        var requests = new RequestStream<TRequest>(call, method.RequestMarshaller);
        var response = await invoke(service, requests, call);
        await call.WriteSingleAsync(method.ResponseMarshaller, response);
    }
}
