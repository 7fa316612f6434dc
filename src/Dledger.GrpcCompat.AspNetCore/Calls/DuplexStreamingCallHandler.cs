using Dledger.GrpcCompat.AspNetCore.Binding;
using Grpc.Core;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>Streams in both directions.</summary>
internal sealed class DuplexStreamingCallHandler<TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method,
    ServiceActivation<TService> services,
    CallEnvironment environment,
    Func<TService, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task> invoke)
    : CallHandler<TService>(method, services, environment)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected override ValueTask InvokeAsync(TService service, ServerCall call)
    {
        return new ValueTask(invoke(
            service,
            new RequestStream<TRequest>(call, method.RequestMarshaller),
            new ResponseStream<TResponse>(call, method.ResponseMarshaller),
            call));
    }
}
