using Grpc.Core;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>One request, a stream of responses.</summary>
internal sealed class ServerStreamingCallHandler<TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method,
    CallEnvironment environment,
    Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task> invoke)
    : CallHandler<TService>(method, environment)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected override async Task InvokeAsync(TService service, ServerCall call)
    {
        var request = await call.Reader.ReadSingleAsync(method.RequestMarshaller, call.CancellationToken);
        await invoke(service, request, new ResponseStream<TResponse>(call, method.ResponseMarshaller), call);
    }
}
