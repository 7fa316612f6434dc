using System.Net;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dledger.GrpcCompat.Tests.Interop;

/// <summary>A Kestrel server with one gRPC service on a loopback port chosen by the system.</summary>
internal sealed class InteropServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private InteropServer(WebApplication application)
    {
        _application = application;
    }

    public IServiceProvider Services => _application.Services;

    public Uri Address => new(_application.Urls.Single());

    public static async Task<InteropServer> StartAsync<TService>(
        Action<GrpcServiceOptions>? configure = null,
        Action<IServiceCollection>? services = null,
        Action<ListenOptions>? listen = null,
        Action<WebApplication>? application = null)
        where TService : class
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(
            kestrel => kestrel.Listen(
                IPAddress.Loopback,
                0,
                endpoint =>
                {
                    endpoint.Protocols = HttpProtocols.Http2;
                    listen?.Invoke(endpoint);
                }));
        builder.Services.AddGrpc(configure ?? (_ => { }));
        services?.Invoke(builder.Services);
        var built = builder.Build();
        built.MapGrpcService<TService>();
        application?.Invoke(built);
        await built.StartAsync();
        return new InteropServer(built);
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        return _application.StopAsync(cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        return _application.DisposeAsync();
    }
}
