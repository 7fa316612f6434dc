using System.Globalization;
using Dledger.Broker;
using Dledger.Broker.Filtering;
using Dledger.Broker.Replays;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Replays selections to a group while it consumes, until the faults end, and looks where the group stands.</summary>
internal sealed class ReplayOperator(SimulatedCluster cluster, ReplayHistory history)
{
    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(history.Random.NextInterval(cluster.Scenario.ElectionTimeout));
            if (cluster.IsHealed)
            {
                // What was put back last has to come to an end.
                await cluster.Calls.DelayAsync(cluster.Scenario.ElectionTimeout * 1_000);
                continue;
            }

            if (history.Messages.Count > 0 && history.Random.Chance(0.7))
            {
                await ReplayAsync();
            }

            await LookAsync(history.Random.Next(history.Scenario.QueueCount));
        }
    }

    private async Task ReplayAsync()
    {
        var (request, selects) = Draw();
        var atLeast = history.FindFinished(selects);
        if (!request.IsDryRun)
        {
            history.Requested(selects);
        }

        var node = cluster.Calls.Choose();
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.ReplayAsync(request, CancellationToken.None), cluster.Scenario.CallPatience);
        if (!isAnswered)
        {
            return;
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        if (cluster.Trace.IsOn)
        {
            cluster.Trace.Line("replay", $"{request}: {outcome.Failure?.ToString() ?? string.Join(", ", outcome.Queues)}");
        }

        if (outcome.Failure is { } failure)
        {
            if (failure.Error != BrokerError.OutcomeUnknown)
            {
                history.Ended(selects);
            }

            return;
        }

        history.Ended(selects);
        var putBack = outcome.Queues.Sum(queue => queue.PutBackCount);
        cluster.Checks.Check(
            "I64",
            request.Limit > 0
                ? putBack <= request.Limit
                : putBack >= atLeast.Count(message => !cluster.Oracle.IsGone(message)) && putBack <= history.Messages.Count(selects),
            $"{putBack} messages are put back, certainly finished were {string.Join(", ", atLeast.Select(each => each.Id))}: {request}");
    }

    private (ReplayRequest Request, Func<StoredMessage, bool> Selects) Draw()
    {
        var random = history.Random;
        var some = random.Pick(history.Messages);
        var request = new ReplayRequest
        {
            Group = ReplayHistory.Group,
            Topic = ReplayHistory.Topic,
            IsDryRun = random.Chance(0.15),
            Limit = random.Chance(0.2) ? 1 + random.Next(4) : 0,
        };
        var rest = FeedProducer.NumberOf(some.Id) % FeedProducer.Modulus;
        switch (random.Next(6))
        {
            case 0:
                return (request, static _ => true);
            case 1:
                return (
                    request with { QueueId = some.QueueId, FirstOffset = some.Offset, LastOffset = some.Offset + 5 },
                    message => message.QueueId == some.QueueId && message.Offset >= some.Offset && message.Offset <= some.Offset + 5);
            case 2:
                return (
                    request with { FromMicroseconds = some.StoredAt, ToMicroseconds = some.StoredAt + 500_000 },
                    message => message.StoredAt >= some.StoredAt && message.StoredAt < some.StoredAt + 500_000);
            case 3:
                return (request with { MessageIds = [some.Id] }, message => message.Id == some.Id);
            case 4:
                return (request with { Keys = [$"k{rest}"] }, HasRest);
            default:
                var text = rest.ToString(CultureInfo.InvariantCulture);
                var isValid = random.Chance(0.5)
                    ? MessageFilter.TryParseTags($"t{text}", out var filter, out _)
                    : MessageFilter.TryParseSql($"n = {text}", out filter, out _);
                Invariant.Check(isValid, "a filter is valid");
                return (request with { Filter = filter }, HasRest);
        }

        bool HasRest(StoredMessage message) => FeedProducer.NumberOf(message.Id) % FeedProducer.Modulus == rest;
    }

    private async Task LookAsync(int queue)
    {
        var node = cluster.Calls.Choose();
        var (isAnswered, answer) = await cluster.Calls.CallAsync(
            node,
            broker => broker.GetOffsetAsync(ReplayHistory.Group, ReplayHistory.Topic, queue, CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (!isAnswered)
        {
            return;
        }

        cluster.Calls.Learn(node, answer.Failure);
        if (answer.Failure is null)
        {
            history.OffsetRead(queue, answer.Offset);
        }
    }
}
