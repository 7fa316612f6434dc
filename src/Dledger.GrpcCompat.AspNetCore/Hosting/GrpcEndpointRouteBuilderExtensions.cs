using Dledger.GrpcCompat.AspNetCore.Binding;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps gRPC services to request paths.</summary>
public static class GrpcEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps every method of the service. <typeparamref name="TService"/> derives from the base class that the gRPC
    /// generator made; an instance is made for each call unless the container has one.
    /// </summary>
    public static GrpcServiceEndpointConventionBuilder MapGrpcService<TService>(this IEndpointRouteBuilder builder)
        where TService : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        var registry = builder.ServiceProvider.GetService<ServiceRegistry>()
            ?? throw new InvalidOperationException(
                "gRPC is not registered: call AddGrpc on the application's services first.");
        return new GrpcServiceEndpointConventionBuilder(registry.Map<TService>(builder));
    }
}
