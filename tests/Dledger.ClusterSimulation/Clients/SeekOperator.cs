using Dledger.Broker.Offsets;
using Dledger.ClusterSimulation.Oracles;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Moves the sought group about while it consumes, until the faults end.</summary>
internal sealed class SeekOperator(SimulatedCluster cluster, string topic, SimulationRandom random)
{
    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(random.NextInterval(cluster.Scenario.ElectionTimeout / 2));
            if (cluster.IsHealed)
            {
                // What it asked last may still be on its way; more would only keep the group from an end.
                await cluster.Calls.DelayAsync(cluster.Scenario.ElectionTimeout * 1_000);
                continue;
            }

            var queue = random.Next(cluster.Scenario.QueueCount);
            await (random.Chance(0.2) ? UpdateAsync(queue) : SeekAsync(queue));
        }
    }

    private async Task SeekAsync(int queue)
    {
        var count = cluster.Oracle.CountOf(queue);
        var target = random.Next(6) switch
        {
            0 => SeekTarget.Earliest,
            1 => SeekTarget.Latest,
            2 => SeekTarget.Offset(random.Next(0, count + 1)),
            3 => SeekTarget.Relative(random.Next(-30, 30)),
            _ => SeekTarget.Time(TimeOfSome(queue, count)),
        };
        var request = new SeekRequest
        {
            Group = SeekHistory.Group,
            Topic = topic,
            QueueId = random.Chance(0.7) ? queue : null,
            Target = target,
            IsDryRun = random.Chance(0.2),
        };
        var node = cluster.Calls.Choose();
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.SeekAsync(request, CancellationToken.None), cluster.Scenario.CallPatience);
        if (!isAnswered)
        {
            return;
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        cluster.Trace.Line("seek", $"{request}: {outcome.Failure?.ToString() ?? string.Join(", ", outcome.Queues)}");
        foreach (var seek in outcome.Queues.Where(_ => target.Kind == SeekKind.Time))
        {
            CheckTime(seek, target.Value);
        }
    }

    private async Task UpdateAsync(int queue)
    {
        var offset = random.Next(0, cluster.Oracle.CountOf(queue) + 1);
        var node = cluster.Calls.Choose();
        var (isAnswered, failure) = await cluster.Calls.CallAsync(
            node,
            broker => broker.UpdateOffsetAsync(SeekHistory.Group, topic, queue, offset, CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, failure);
        }
    }

    private long TimeOfSome(int queue, int count)
    {
        var messages = cluster.Oracle.Queues.FirstOrDefault(
            each => each.Key == (cluster.Producing.TopicId, queue)).Messages;
        return count == 0 ? 1 : messages[random.Next(count)].StoredAt;
    }

    private void CheckTime(QueueSeek seek, long time)
    {
        var messages = cluster.Oracle.Queues.FirstOrDefault(
            each => each.Key == (cluster.Producing.TopicId, seek.QueueId)).Messages ?? [];
        var before = messages.TakeWhile(message => message.StoredAt < time).Count();
        cluster.Checks.Check(
            "I58",
            seek.To == before || (seek.To > before && seek.To <= messages.Count && cluster.Oracle.IsGone(messages[(int)seek.To - 1])),
            $"queue {seek.QueueId} has {before} messages from before {time}, the seek went to {seek.To}");
    }
}
