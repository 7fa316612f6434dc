using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend.Messaging.Lites;

/// <summary>All of a node's part in knowing the lite topics of its clients, and its life.</summary>
internal sealed class LiteFollowing : IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    public LiteFollowing(BrokerNode broker, FrontendOptions options, LeaderRouter router, TimeProvider time, ILogger logger)
    {
        Clients = new LiteClients(time);
        broker.TellLitesEnded(Clients.TellEnded);
        var replay = new LiteReplay(broker, options, router, Clients, time, logger);
        var stop = _stop.Token;
        _ = Task.Run(() => replay.RunAsync(stop), CancellationToken.None);
    }

    public LiteClients Clients { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
        Clients.Dispose();
    }
}
