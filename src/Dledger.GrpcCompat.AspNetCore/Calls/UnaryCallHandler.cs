using Grpc.Core;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>One request, one response.</summary>
internal sealed class UnaryCallHandler<TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method,
    CallEnvironment environment,
    Func<TService, TRequest, ServerCallContext, Task<TResponse>> invoke) : CallHandler<TService>(method, environment)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected override async Task InvokeAsync(TService service, ServerCall call)
    {
        var request = await call.Reader.ReadSingleAsync(method.RequestMarshaller, call.CancellationToken);
        var response = await invoke(service, request, call);
        await call.WriteSingleAsync(method.ResponseMarshaller, response);
    }
}
