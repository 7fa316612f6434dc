using Dledger.Broker;
using Dledger.Frontend.Administration;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging;
using Dledger.Frontend.Messaging.Clients;
using Dledger.Frontend.Messaging.Lites;
using Dledger.Frontend.Messaging.Transactions;
using Dledger.Frontend.Nodes;
using Dledger.Frontend.Producing;
using Dledger.Frontend.RocketAdministration;
using Dledger.Frontend.Streaming;
using Dledger.Replication;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend;

/// <summary>Everything that clients talk to on one node: the services, and what they share. Safe for any
/// thread.</summary>
public sealed class ClientFrontend : IDisposable
{
    private readonly NodeChannels _channels;
    private readonly Draining _draining = new();
    private readonly TransactionChecking _checking;
    private readonly LiteFollowing _lites;
    private readonly ILogger _logger;

    public ClientFrontend(
        BrokerNode broker, IReplicatedLog log, FrontendOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _logger = loggers.CreateLogger("Dledger.Frontend");
        var nodes = new NodeDirectory(options, () => log.Status.Members);
        _channels = new NodeChannels(options, nodes);
        var router = new LeaderRouter(broker, options, nodes, _channels, time, _logger);
        var guard = new CallGuard(router, time, _logger);
        _checking = new TransactionChecking(broker, options, router, _draining, time, _logger);
        var connected = new ConnectedClients(time);
        Clients = new ClientService(connected);
        _lites = new LiteFollowing(broker, options, router, time, _logger);
        Messaging = new MessagingService(
            broker, options, router, guard, _checking.Producers, connected, _lites.Clients, _draining, time, _logger);
        Streams = new StreamService(broker, options, router, guard, _draining, Messaging.In, Messaging.Out, time);
        LiteTopics = new LiteAdministrationService(broker, guard);
        Offsets = new OffsetAdministrationService(broker, guard);
        Administration = new AdministrationService(broker, log, options, router, guard, time);
        NumberedProducers = new NumberedProducerService(broker, guard);
        Parking = new ParkingEndpoint(broker, guard);
        TopicRoutes = new RouteEndpoint(broker, guard);
        Transactions = new TransactionAdministrationService(broker, options, guard);
        Timers = new TimerAdministrationService(broker, guard);
        Lookups = new MessageLookupService(broker, guard);
        var node = new NodeCalls(options, connected, Messaging.In, Messaging.Out, _logger);
        var cluster = new ClusterClients(connected, options, router, time);
        RocketAdmin = new RocketAdminService(broker, options, router, guard, node, cluster, time);
        DeadLetters = new DeadLetterAdministration(broker, guard);
    }

    /// <summary>The RocketMQ 5 service.</summary>
    public MessagingService Messaging { get; }

    /// <summary>Messages in bulk.</summary>
    public StreamService Streams { get; }

    /// <summary>What other nodes tell about their producers.</summary>
    public ProducerService Producers => _checking.Nodes;

    /// <summary>What other nodes ask about the clients of this one.</summary>
    public ClientService Clients { get; }

    /// <summary>The administration service.</summary>
    public AdministrationService Administration { get; }

    /// <summary>The service of producers that number their messages.</summary>
    public NumberedProducerService NumberedProducers { get; }

    /// <summary>The administration of where groups stand.</summary>
    public OffsetAdministrationService Offsets { get; }

    /// <summary>The service for groups that stand still.</summary>
    public ParkingEndpoint Parking { get; }

    /// <summary>The service for routes between topics.</summary>
    public RouteEndpoint TopicRoutes { get; }

    /// <summary>The administration of transactions.</summary>
    public TransactionAdministrationService Transactions { get; }

    /// <summary>The administration of delayed messages.</summary>
    public TimerAdministrationService Timers { get; }

    /// <summary>Messages by id, key, time and place, and what became of them.</summary>
    public MessageLookupService Lookups { get; }

    /// <summary>RocketMQ's administration.</summary>
    public RocketAdminService RocketAdmin { get; }

    /// <summary>The administration of lite topics.</summary>
    public LiteAdministrationService LiteTopics { get; }

    /// <summary>The dead letters.</summary>
    public DeadLetterAdministration DeadLetters { get; }

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
        _checking.Dispose();
        _lites.Dispose();
        _channels.Dispose();
        _draining.Dispose();
    }
}
