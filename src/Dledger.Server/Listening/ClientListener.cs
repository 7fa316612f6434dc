using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Dledger.Frontend;
using Dledger.Server.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dledger.Server.Listening;

/// <summary>The client port of a node: HTTP/2 with and without TLS, serving the front end's gRPC services.</summary>
/// <remarks>
/// What Kestrel would do by default and must not: close connections whose streams are quiet (telemetry is silent for
/// minutes), allow only 100 streams a connection (every waiting receive is one), let one slow stream use up the window
/// of its connection. Host names are not filtered: one client library sends a text that is none.
/// </remarks>
internal sealed class ClientListener : IAsyncDisposable
{
    private const int StreamsPerConnectionMax = 10_000;
    private const int StreamWindowBytes = 1 << 20;
    private const int ConnectionWindowBytes = 8 << 20;

    /// <summary>Longer than any client is silent: idle connections belong to clients that come back.</summary>
    private static readonly TimeSpan IdleConnectionMax = TimeSpan.FromMinutes(30);

    /// <summary>Finds connections whose other end vanished without a word.</summary>
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(60);

    private readonly WebApplication _application;
    private readonly X509Certificate2? _certificate;

    private ClientListener(WebApplication application, X509Certificate2? certificate)
    {
        _application = application;
        _certificate = certificate;
    }

    /// <summary>The port that is bound; differs from the configured one when that is 0.</summary>
    public int Port { get; private set; }

    /// <summary>Opens the port.</summary>
    /// <param name="options">The node's options.</param>
    /// <param name="advertisedHost">What the certificate has to name.</param>
    /// <param name="frontend">Made when the first call needs it, with the bound port.</param>
    /// <param name="time">Clock of the connection timeouts.</param>
    /// <param name="loggers">Where the events go.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    /// <exception cref="ListenException">The port is taken, or the certificate cannot be used.</exception>
    public static async Task<ClientListener> StartAsync(
        ServerOptions options,
        string advertisedHost,
        Func<int, ClientFrontend> frontend,
        TimeProvider time,
        ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        var certificate = LoadCertificate(options, advertisedHost, time);
        var application = Build(options, certificate, frontend, time, loggers);
        var listener = new ClientListener(application, certificate);
        try
        {
            await application.StartAsync(cancellationToken);
            listener.Port = BoundPort(application.Services);
            return listener;
        }
        catch (Exception exception)
        {
            await listener.DisposeAsync();
            if (exception is IOException or SocketException or InvalidOperationException)
            {
                throw new ListenException(
                    $"Port {options.Client.Port} at {options.Client.ListenAddress} cannot be opened: "
                        + $"{exception.Message} Stop whoever uses it, or set client.port.",
                    exception);
            }

            throw;
        }
    }

    /// <summary>Refuses new calls and waits for those under way, at most as long as the token allows.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _application.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _certificate?.Dispose();
    }

    private static X509Certificate2? LoadCertificate(ServerOptions options, string advertisedHost, TimeProvider time)
    {
        var client = options.Client;
        return client.Tls == TlsMode.Off ? null
            : client.CertificateFile is { } file ? ServerCertificate.Load(file, client.KeyFile!)
            : ServerCertificate.LoadOrCreate(options.DataDirectory, advertisedHost, time);
    }

    private static WebApplication Build(
        ServerOptions options,
        X509Certificate2? certificate,
        Func<int, ClientFrontend> frontend,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        var logger = loggers.CreateLogger("Dledger.Server");
        var sniffer = new TlsSniffer(certificate, options.Client.Tls, time, logger);
        var connections = FileLimit.Lower(options.Client.ConnectionsMax, logger);

        // The empty builder reads no files, no environment and no signals: those are the caller's.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.AllowAlternateSchemes = true;
            SetLimits(kestrel.Limits, connections);
            kestrel.Listen(IPAddress.Parse(options.Client.ListenAddress), options.Client.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(next => connection => sniffer.RunAsync(connection, next));
            });
        });
        builder.Services.AddSingleton<ILoggerFactory>(new WarningsOnly(loggers));
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>>(new BlockMemoryPool.Factory());
        builder.Services.AddRouting();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = options.Limits.RequestBytesMax;
            grpc.MaxSendMessageSize = options.Limits.RequestBytesMax;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Limits.DrainMax);
        builder.Services.AddSingleton(services => new Lazy<ClientFrontend>(() => frontend(BoundPort(services))));
        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.Messaging);
        builder.Services.AddSingleton(
            services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.Administration);
        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.Offsets);
        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.Lookups);
        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.DeadLetters);
        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.LiteTopics);

        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.Producers);
        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.NumberedProducers);
        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.Streams);
        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.Parking);
        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.TopicRoutes);
        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.Transactions);

        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.Timers);
        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.RocketAdmin);
        builder.Services.AddSingleton(services => services.GetRequiredService<Lazy<ClientFrontend>>().Value.Clients);

        var application = builder.Build();
        application.UseRouting();
        application.MapGrpcService<Frontend.Messaging.MessagingService>();
        application.MapGrpcService<Frontend.Messaging.Transactions.ProducerService>();
        application.MapGrpcService<Frontend.Messaging.Clients.ClientService>();
        application.MapGrpcService<Frontend.Administration.AdministrationService>();
        application.MapGrpcService<Frontend.Producing.NumberedProducerService>();
        application.MapGrpcService<Frontend.Streaming.StreamService>();
        application.MapGrpcService<Frontend.Administration.OffsetAdministrationService>();
        application.MapGrpcService<Frontend.Administration.ParkingEndpoint>();
        application.MapGrpcService<Frontend.Administration.RouteEndpoint>();
        application.MapGrpcService<Frontend.Administration.TransactionAdministrationService>();
        application.MapGrpcService<Frontend.Administration.TimerAdministrationService>();
        application.MapGrpcService<Frontend.Administration.MessageLookupService>();
        application.MapGrpcService<Frontend.Administration.DeadLetterAdministration>();
        application.MapGrpcService<Frontend.RocketAdministration.RocketAdminService>();
        application.MapGrpcService<Frontend.Administration.LiteAdministrationService>();
        return application;
    }

    private static void SetLimits(KestrelServerLimits limits, int connectionsMax)
    {
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
        limits.MaxRequestBodySize = null;
        limits.MaxConcurrentConnections = connectionsMax;
        limits.KeepAliveTimeout = IdleConnectionMax;
        limits.Http2.MaxStreamsPerConnection = StreamsPerConnectionMax;
        limits.Http2.InitialStreamWindowSize = StreamWindowBytes;
        limits.Http2.InitialConnectionWindowSize = ConnectionWindowBytes;
        limits.Http2.KeepAlivePingDelay = PingDelay;
    }

    private static int BoundPort(IServiceProvider services)
    {
        var addresses = services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>();
        return new Uri(addresses!.Addresses.First()).Port;
    }
}
