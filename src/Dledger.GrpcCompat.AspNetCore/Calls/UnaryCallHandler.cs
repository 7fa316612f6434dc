using System.Runtime.CompilerServices;
using Dledger.GrpcCompat.AspNetCore.Binding;
using Grpc.Core;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>One request, one response.</summary>
internal sealed class UnaryCallHandler<TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method,
    ServiceActivation<TService> services,
    CallEnvironment environment,
    Func<TService, TRequest, ServerCallContext, Task<TResponse>> invoke) : CallHandler<TService>(method, services, environment)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    protected override async ValueTask InvokeAsync(TService service, ServerCall call)
    {
        var request = await call.Reader.ReadSingleAsync(method.RequestMarshaller, call.CancellationToken);
        var response = await invoke(service, request, call);
        await call.WriteSingleAsync(method.ResponseMarshaller, response);
    }
}
