using Dledger.Broker;
using Dledger.Frontend.Administration;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging;
using Dledger.Frontend.Messaging.Lites;
using Dledger.Frontend.Messaging.Transactions;
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
        _checking = new TransactionChecking(broker, options, router, _draining, time, _logger);
        _lites = new LiteFollowing(broker, options, router, time, _logger);
        Messaging = new MessagingService(
            broker, options, router, _checking.Producers, _lites.Clients, _draining, time, _logger);
        LiteTopics = new LiteAdministrationService(broker, router, time, _logger);
        Offsets = new OffsetAdministrationService(broker, router, time, _logger);
        Administration = new AdministrationService(broker, log, options, router, time, _logger);
        NumberedProducers = new NumberedProducerService(broker, router, time, _logger);
        Parking = new ParkingEndpoint(broker, router, time, _logger);
        Transactions = new TransactionAdministrationService(broker, options, router, time, _logger);
        Timers = new TimerAdministrationService(broker, router, time, _logger);
        Lookups = new MessageLookupService(broker, router, time, _logger);
        DeadLetters = new DeadLetterAdministration(broker, router, time, _logger);
    }

    /// <summary>The RocketMQ 5 service.</summary>
    public MessagingService Messaging { get; }

    /// <summary>What other nodes tell about their producers.</summary>
    public ProducerService Producers => _checking.Nodes;

    /// <summary>The administration service.</summary>
    public AdministrationService Administration { get; }

    /// <summary>The service of producers that number their messages.</summary>
    public NumberedProducerService NumberedProducers { get; }

    /// <summary>The administration of where groups stand.</summary>
    public OffsetAdministrationService Offsets { get; }

    /// <summary>The service for groups that stand still.</summary>
    public ParkingEndpoint Parking { get; }

    /// <summary>The administration of transactions.</summary>
    public TransactionAdministrationService Transactions { get; }

    /// <summary>The administration of delayed messages.</summary>
    public TimerAdministrationService Timers { get; }

    /// <summary>Messages by id, key, time and place, and what became of them.</summary>
    public MessageLookupService Lookups { get; }

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
