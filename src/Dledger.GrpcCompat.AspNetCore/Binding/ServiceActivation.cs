using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dledger.GrpcCompat.AspNetCore.Binding;

/// <summary>Gets the service instance of a call: that of the container, or a new one that dies with the call.</summary>
/// <remarks>A singleton is looked up once, because asking for a request's services makes a scope for the request.</remarks>
internal sealed class ServiceActivation<TService>(IServiceProvider root, ServiceLifetimes lifetimes)
    where TService : class
{
    private readonly Lazy<ObjectFactory<TService>> _factory =
        new(static () => ActivatorUtilities.CreateFactory<TService>(Type.EmptyTypes));

    private readonly bool _isSingleton = lifetimes.IsSingleton(typeof(TService));
    private TService? _singleton;

    /// <summary><c>Owned</c>: the call must release it.</summary>
    public (TService Instance, bool Owned) Get(HttpContext http)
    {
        if (_isSingleton)
        {
            return (_singleton ??= root.GetRequiredService<TService>(), false);
        }

        var services = http.RequestServices;
        return services.GetService<TService>() is { } registered
            ? (registered, false)
            : (_factory.Value(services, []), true);
    }

    public static ValueTask ReleaseAsync(TService instance)
    {
        if (instance is IAsyncDisposable asynchronous)
        {
            return asynchronous.DisposeAsync();
        }

        (instance as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }
}
