using Dledger.GrpcCompat.AspNetCore.Binding;
using Grpc.Core;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>One request, a stream of responses.</summary>
internal sealed class ServerStreamingCallHandler<TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method,
    ServiceActivation<TService> services,
    CallEnvironment environment,
    Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task> invoke)
    : CallHandler<TService>(method, services, environment)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected override async ValueTask InvokeAsync(TService service, ServerCall call)
    {
        var request = await call.Reader.ReadSingleAsync(method.RequestMarshaller, call.CancellationToken);
        await invoke(service, request, new ResponseStream<TResponse>(call, method.ResponseMarshaller), call);
    }
}
