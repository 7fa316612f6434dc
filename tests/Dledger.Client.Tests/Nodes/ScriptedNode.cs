using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dledger.Client.Tests.Nodes;

/// <summary>A node on a free port that answers as a test tells it, over the real wire.</summary>
internal sealed class ScriptedNode : IAsyncDisposable
{
    private readonly WebApplication _application;

    private ScriptedNode(
        WebApplication application, ScriptedMessaging messaging, ScriptedAdmin admin, ScriptedProducers producers, ScriptedStreams streams)
    {
        _application = application;
        Messaging = messaging;
        Admin = admin;
        Producers = producers;
        Streams = streams;
    }

    public ScriptedMessaging Messaging { get; }

    public ScriptedAdmin Admin { get; }

    public ScriptedProducers Producers { get; }

    public ScriptedStreams Streams { get; }

    public string Address => _application.Urls.Single()["http://".Length..];

    public static async Task<ScriptedNode> StartAsync(bool offersNumbers = true)
    {
        var producers = new ScriptedProducers();
        var streams = new ScriptedStreams();
        var messaging = new ScriptedMessaging();
        var admin = new ScriptedAdmin();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server =>
            server.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddSingleton(messaging);
        builder.Services.AddSingleton(admin);
        builder.Services.AddSingleton(producers);
        builder.Services.AddSingleton(streams);
        builder.Services.AddSingleton(new ScriptedOffsets());
        builder.Services.AddGrpc();
        var application = builder.Build();
        application.MapGrpcService<ScriptedMessaging>();
        application.MapGrpcService<ScriptedAdmin>();
        if (offersNumbers)
        {
            application.MapGrpcService<ScriptedProducers>();
        }

        application.MapGrpcService<ScriptedOffsets>();
        application.MapGrpcService<ScriptedStreams>();
        await application.StartAsync();
        return new ScriptedNode(application, messaging, admin, producers, streams);
    }

    /// <summary>An address where nothing listens.</summary>
    public static async Task<string> DeadAddressAsync()
    {
        var node = await StartAsync();
        var address = node.Address;
        await node.DisposeAsync();
        return address;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
