using Microsoft.Extensions.DependencyInjection;

namespace Dledger.GrpcCompat.AspNetCore.Binding;

/// <summary>Knows how services were registered, which a container does not tell.</summary>
internal sealed class ServiceLifetimes(IServiceCollection services)
{
    /// <summary>Whether every call gets the same instance. The last registration of a type counts.</summary>
    public bool IsSingleton(Type service)
    {
        return services.LastOrDefault(one => one.ServiceType == service && !one.IsKeyedService) is
        {
            Lifetime: ServiceLifetime.Singleton,
        };
    }
}
