using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Reads queues by offset: it must see the committed log, every message and nothing else.</summary>
internal sealed class PullReader(SimulatedCluster cluster, string topic, SimulationRandom random)
{
    private readonly Dictionary<int, long> _next = [];

    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(random.NextInterval(cluster.Scenario.ConsumeInterval * 2));
            await PullAsync(random.Next(cluster.Scenario.QueueCount));
        }
    }

    private async Task PullAsync(int queue)
    {
        var offset = random.Chance(0.2)
            ? random.Next(0, cluster.Oracle.CountOf(queue) + 3)
            : _next.GetValueOrDefault(queue);
        var known = cluster.Producing.AckedEndOf(queue);
        var request = new PullRequest
        {
            Group = "pullers",
            Topic = topic,
            QueueId = queue,
            Offset = offset,
            BatchSize = 1 + random.Next(32),
            LongPoll = TimeSpan.FromMicroseconds(random.Chance(0.5) ? cluster.Scenario.LongPoll : 0),
        };
        var node = cluster.Calls.Choose();
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node,
            broker => broker.PullAsync(request, CancellationToken.None),
            cluster.Scenario.CallPatience + cluster.Scenario.LongPoll);
        if (!isAnswered)
        {
            return;
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        if (outcome.NextOffset is not { } next)
        {
            return;
        }

        if (outcome.Failure is { Rule: BrokenRule.Offset })
        {
            CheckOutside(queue, offset, next, known);
        }
        else
        {
            CheckMessages(queue, offset, outcome, next);
        }

        _next[queue] = next;
    }

    // Either the message is gone, or it was not there when the question was asked.
    private void CheckOutside(int queue, long offset, long next, long known) => cluster.Checks.Check(
        "I59",
        next > offset ? cluster.Oracle.IsGone(queue, offset) : next >= known && next <= cluster.Oracle.CountOf(queue),
        $"a reader at {queue}/{offset} is sent to {next}; acked are {known}, committed {cluster.Oracle.CountOf(queue)}");

    private void CheckMessages(int queue, long offset, PullOutcome outcome, long next)
    {
        cluster.Marks.Reach("pull answered");
        cluster.Checks.Check(
            "I59",
            next == offset + outcome.Messages.Count,
            $"a reader at {queue}/{offset} is given {outcome.Messages.Count} messages and goes on at {next}");
        foreach (var message in outcome.Messages)
        {
            var stored = cluster.Oracle.FindAt(message.Position);
            cluster.Checks.Check(
                "I59",
                message.QueueOffset.Value == offset && stored is not null && stored.QueueId == queue
                    && stored.Offset == offset && stored.Body.AsSpan().SequenceEqual(message.Body.Span),
                $"a reader is given {message.MessageId} for {queue}/{offset}, committed there is {stored}");
            offset++;
        }
    }
}
