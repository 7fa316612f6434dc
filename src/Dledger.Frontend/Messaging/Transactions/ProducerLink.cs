using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Node.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend.Messaging.Transactions;

/// <summary>
/// Tells the leader about the producers of this node while another node leads, and passes on what they are asked. Open only while
/// there are producers.
/// </summary>
internal sealed class ProducerLink(
    BrokerNode broker,
    FrontendOptions options,
    LeaderRouter router,
    ProducerRegistry producers,
    ProducerQuestions questions,
    TimeProvider time,
    ILogger logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Runs until it is stopped.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                // Taken before the look: a change in between completes them.
                var moved = broker.LeadershipMoved;
                var changed = producers.Changed;
                var status = broker.Status;
                if (status.IsServing || router.Find(status.Leader) is null || producers.Topics.Count == 0)
                {
                    await Task.WhenAny(moved, changed).WaitAsync(cancellationToken);
                    continue;
                }

                await HoldAsync(status.Leader, cancellationToken);
                await Task.Delay(Pause, time, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private async Task HoldAsync(NodeId leader, CancellationToken cancellationToken)
    {
        using var term = router.Follow(leader, cancellationToken);
        try
        {
            using var call = router.Channels.Producers(leader).Watch(new CallOptions(cancellationToken: term.Token));
            var reading = ReadAsync(call.ResponseStream, term.Token);
            while (!reading.IsCompleted)
            {
                var changed = producers.Changed;
                await call.RequestStream.WriteAsync(Describe(), term.Token);
                await Task.WhenAny(changed, reading).WaitAsync(term.Token);
            }

            await reading;
        }
        catch (Exception exception) when (exception
            is RpcException or IOException or InvalidOperationException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            FrontendEvents.ProducerLinkEnded(logger, leader, exception.Message);
        }
    }

    private NodeProducers Describe()
    {
        var producersHere = new NodeProducers { NodeId = options.Self.Value };
        producersHere.Topics.AddRange(producers.Topics
            .OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry => new TopicProducers { Topic = entry.Key, Count = entry.Value }));
        return producersHere;
    }

    private async Task ReadAsync(IAsyncStreamReader<ProducerQuestion> responses, CancellationToken cancellationToken)
    {
        while (await responses.MoveNext(cancellationToken))
        {
            var question = responses.Current;
            questions.TryAsk(question, ProducerQuestions.TurnOf(question.TransactionId, question.Check));
        }
    }
}
