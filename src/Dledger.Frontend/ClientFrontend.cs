using Dledger.Broker;
using Dledger.Frontend.Administration;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging;
using Dledger.Frontend.Nodes;
using Dledger.Frontend.Producing;
using Dledger.Replication;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend;

/// <summary>Everything that clients talk to on one node: the services, and what they share. Safe for any
/// thread.</summary>
public sealed class ClientFrontend : IDisposable
{
    private readonly NodeChannels _channels;
    private readonly Draining _draining = new();
    private readonly ILogger _logger;

    public ClientFrontend(
        BrokerNode broker, IReplicatedLog log, FrontendOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _logger = loggers.CreateLogger("Dledger.Frontend");
        var nodes = new NodeDirectory(options, () => log.Status.Members);
        _channels = new NodeChannels(options, nodes);
        var router = new LeaderRouter(broker, options, nodes, _channels, time, _logger);
        Messaging = new MessagingService(broker, options, router, _draining, time, _logger);
        Administration = new AdministrationService(broker, log, options, router, time, _logger);
        Producers = new ProducerService(broker, router, time, _logger);
    }

    /// <summary>The RocketMQ 5 service.</summary>
    public MessagingService Messaging { get; }

    /// <summary>The administration service.</summary>
    public AdministrationService Administration { get; }

    /// <summary>The service of producers that number their messages.</summary>
    public ProducerService Producers { get; }

    /// <summary>Ends telemetry streams and waiting receives; other calls go on. Their clients connect to another
    /// node.</summary>
    public void Drain()
    {
        FrontendEvents.Draining(_logger, Messaging.TelemetryCount);
        _draining.Begin();
    }

    /// <summary>Closes the connections to other nodes. Calls must have ended.</summary>
    public void Dispose()
    {
        _channels.Dispose();
        _draining.Dispose();
    }
}
