using Microsoft.Extensions.DependencyInjection;

namespace Dledger.GrpcCompat.AspNetCore.Binding;

/// <summary>Gets the service instance of a call: that of the container, or a new one that dies with the call.</summary>
internal static class ServiceActivation<TService>
    where TService : class
{
    private static readonly Lazy<ObjectFactory<TService>> Factory =
        new(static () => ActivatorUtilities.CreateFactory<TService>(Type.EmptyTypes));

    /// <summary><c>Owned</c>: the call must release it.</summary>
    public static (TService Instance, bool Owned) Get(IServiceProvider services)
    {
        return services.GetService<TService>() is { } registered
            ? (registered, false)
            : (Factory.Value(services, []), true);
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
