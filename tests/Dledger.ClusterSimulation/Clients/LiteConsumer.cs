using Dledger.Broker.Lites;
using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// A consumer that adds and removes lite topics of its own, repeats its set now and then, and acks or forgets what it is given. In the last
/// phase it asks for all of them.
/// </summary>
internal sealed class LiteConsumer(SimulatedCluster cluster, LiteWorkload workload, string clientId, string[] names)
{
    private readonly HashSet<string> _set = new(StringComparer.Ordinal);

    // What the leader may have in the set: more than the set while the fate of a call is unknown.
    private readonly HashSet<string> _possible = new(StringComparer.Ordinal);

    // Added by calls that were lost, and may be carried out later.
    private readonly HashSet<string> _lost = new(StringComparer.Ordinal);

    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(workload.Random.NextInterval(
                cluster.IsHealed ? cluster.Scenario.ElectionTimeout : cluster.Scenario.ConsumeInterval));
            if (cluster.IsHealed)
            {
                await SyncAsync(LiteAction.CompleteAdd, names);
            }
            else if (workload.Random.Chance(0.2))
            {
                await ChangeAsync();
            }

            await ReceiveAsync();
        }
    }

    private async Task ChangeAsync()
    {
        var name = workload.Random.Pick(names);
        if (workload.Random.Chance(0.4))
        {
            await SyncAsync(LiteAction.CompleteAdd, [.. _set]);
        }
        else if (_set.Contains(name))
        {
            await SyncAsync(LiteAction.PartialRemove, [name]);
        }
        else
        {
            await SyncAsync(LiteAction.PartialAdd, [name]);
        }
    }

    private async Task SyncAsync(LiteAction action, string[] asked)
    {
        var node = cluster.Calls.Choose();
        if (action != LiteAction.PartialRemove)
        {
            _possible.UnionWith(asked);
        }

        var sync = new LiteSync(LiteHistory.Group, LiteHistory.Topic, clientId, action, asked);
        var (isAnswered, failure) = await cluster.Calls.CallAsync(
            node, broker => broker.SyncLiteAsync(sync, CancellationToken.None), cluster.Scenario.CallPatience);
        if (!isAnswered)
        {
            // It may be carried out at any later time: what it adds stays possible for good.
            _lost.UnionWith(action == LiteAction.PartialRemove ? [] : asked);
            return;
        }

        cluster.Calls.Learn(node, failure);
        if (failure is not null)
        {
            return;
        }

        switch (action)
        {
            case LiteAction.PartialAdd:
                _set.UnionWith(asked);
                break;
            case LiteAction.PartialRemove:
                _set.ExceptWith(asked);
                break;
            default:
                _set.Clear();
                _set.UnionWith(asked);
                break;
        }

        // Another leader may have heard nothing of this, but its set comes from repeats of this client alone.
        _possible.Clear();
        _possible.UnionWith(_set);
        _possible.UnionWith(_lost);
    }

    private async Task ReceiveAsync()
    {
        var node = cluster.Calls.Choose();
        var longPoll = workload.Random.Chance(0.5) ? cluster.Scenario.LongPoll : 0;
        var request = new ReceiveRequest
        {
            Group = LiteHistory.Group,
            Topic = LiteHistory.Topic,
            BatchSize = 1 + workload.Random.Next(8),
            InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
            LongPoll = TimeSpan.FromMicroseconds(longPoll),
            ClientId = clientId,
        };
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.ReceiveAsync(request, CancellationToken.None), cluster.Scenario.CallPatience + longPoll);
        if (!isAnswered)
        {
            return;
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        if (outcome.Failure is not null)
        {
            return;
        }

        workload.History.Delivered(clientId, outcome.Messages, _possible);
        foreach (var message in outcome.Messages)
        {
            if (cluster.IsHealed || workload.Random.Chance(workload.AckShare))
            {
                await AckAsync(message);
            }
        }
    }

    private async Task AckAsync(DeliveredMessage message)
    {
        var node = cluster.Calls.Choose();
        workload.History.AckInvoked(message.MessageId);
        var (isAnswered, outcomes) = await cluster.Calls.CallAsync(
            node,
            broker => broker.AckAsync(LiteHistory.Group, LiteHistory.Topic, [message.ReceiptHandle], CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcomes![0].Failure);
        }
    }
}
