using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend.Messaging.Transactions;

/// <summary>All of a node's part in asking producers about their transactions, and its life.</summary>
internal sealed class TransactionChecking : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Webhook _webhook;

    public TransactionChecking(
        BrokerNode broker,
        FrontendOptions options,
        LeaderRouter router,
        Draining draining,
        TimeProvider time,
        ILogger logger)
    {
        Nodes = new ProducerService(broker, draining);
        _webhook = new Webhook(broker, logger);
        var questions = new ProducerQuestions(Producers);
        var checker = new ProducerChecker(broker, options, Producers, questions, Nodes, _webhook, logger);
        broker.CheckTransactionsWith(checker);
        var link = new ProducerLink(broker, options, router, Producers, questions, time, logger);
        var stop = _stop.Token;
        _ = Task.Run(() => checker.RunAsync(stop), CancellationToken.None);
        _ = Task.Run(() => link.RunAsync(stop), CancellationToken.None);
    }

    /// <summary>The producers of this node.</summary>
    public ProducerRegistry Producers { get; } = new();

    /// <summary>The other nodes, as long as this one leads.</summary>
    public ProducerService Nodes { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _webhook.Dispose();
        _stop.Dispose();
    }
}
