using Dledger.GrpcCompat.AspNetCore.Calls;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Dledger.GrpcCompat.AspNetCore.Binding;

/// <summary>Makes an endpoint for each method that generated code names.</summary>
internal sealed class EndpointBinder<TService>(
    IEndpointRouteBuilder routes, ServiceActivation<TService> services, CallEnvironment environment) : ServiceBinderBase
    where TService : class
{
    public List<IEndpointConventionBuilder> Endpoints { get; } = [];

    public HashSet<string> ServiceNames { get; } = [];

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = CreateDelegate<Func<TService, TRequest, ServerCallContext, Task<TResponse>>>(
            method, typeof(TRequest), typeof(ServerCallContext));
        Map(method, new UnaryCallHandler<TService, TRequest, TResponse>(method, services, environment, invoke));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = CreateDelegate<Func<TService, IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>>>(
            method, typeof(IAsyncStreamReader<TRequest>), typeof(ServerCallContext));
        Map(method, new ClientStreamingCallHandler<TService, TRequest, TResponse>(method, services, environment, invoke));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = CreateDelegate<Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(
            method, typeof(TRequest), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
        Map(method, new ServerStreamingCallHandler<TService, TRequest, TResponse>(method, services, environment, invoke));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = CreateDelegate<
            Func<TService, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(
            method,
            typeof(IAsyncStreamReader<TRequest>),
            typeof(IServerStreamWriter<TResponse>),
            typeof(ServerCallContext));
        Map(method, new DuplexStreamingCallHandler<TService, TRequest, TResponse>(method, services, environment, invoke));
    }

    /// <summary>Generated methods are virtual, so a delegate over the base method reaches the override.</summary>
    private static TDelegate CreateDelegate<TDelegate>(IMethod method, params Type[] parameters)
        where TDelegate : Delegate
    {
        var target = typeof(TService).GetMethod(method.Name, parameters)
            ?? throw new InvalidOperationException(
                $"{typeof(TService)} has no public method {method.Name} for {method.FullName}.");
        return target.CreateDelegate<TDelegate>();
    }

    private void Map(IMethod method, CallHandler<TService> handler)
    {
        ServiceNames.Add(method.ServiceName);
        var endpoint = routes.Map(method.FullName, handler.HandleAsync);
        var attributes = new List<object>(typeof(TService).GetCustomAttributes(inherit: true));
        attributes.AddRange(
            typeof(TService).GetMethods().Where(candidate => candidate.Name == method.Name)
                .SelectMany(candidate => candidate.GetCustomAttributes(inherit: true)));
        endpoint.Add(
            builder =>
            {
                builder.DisplayName = $"gRPC - {method.FullName}";
                builder.Metadata.Add(new GrpcMethodMetadata(typeof(TService), method));
                foreach (var attribute in attributes)
                {
                    builder.Metadata.Add(attribute);
                }
            });
        Endpoints.Add(endpoint);
    }
}
