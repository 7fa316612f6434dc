using Dledger.Broker;
using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Broker.Timers;
using Dledger.ClusterSimulation.Nodes;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Sends delayed messages, takes some back, moves others, and consumes those that come.</summary>
internal sealed class TimerClient(SimulatedCluster cluster, SimulationRandom random)
{
    public const string Topic = "delayed";
    public const string Group = "delayed";

    // Delivered in no run: these wait until the end, and are copied forward when the log's start moves.
    private const long Never = 3_600_000_000;

    private readonly List<(string Id, string Handle)> _handles = [];

    /// <summary>What it will still send.</summary>
    public int Remaining { get; set; }

    public async Task SendAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(random.NextInterval(cluster.Scenario.ProduceInterval * 2));
            if (Remaining > 0)
            {
                Remaining--;
                await SendOneAsync();
            }

            if (!cluster.IsHealed && _handles.Count > 0 && random.Chance(0.3))
            {
                var (id, handle) = random.Pick(_handles);
                await (random.Chance(0.6) ? RecallAsync(id, handle) : MoveAsync(id));
            }
        }
    }

    public async Task ConsumeAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(random.NextInterval(cluster.Scenario.ConsumeInterval * 2));
            var request = new ReceiveRequest
            {
                Group = Group,
                Topic = Topic,
                BatchSize = 1 + random.Next(8),
                InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
                LongPoll = TimeSpan.FromMicroseconds(cluster.Scenario.LongPoll),
                ClientId = "timers",
            };
            var node = cluster.Calls.Choose();
            var (isAnswered, outcome) = await cluster.Calls.CallAsync(
                node,
                broker => broker.ReceiveAsync(request, CancellationToken.None),
                cluster.Scenario.CallPatience + cluster.Scenario.LongPoll);
            if (!isAnswered)
            {
                continue;
            }

            cluster.Calls.Learn(node, outcome!.Failure);
            foreach (var message in outcome.Messages)
            {
                cluster.Timers.Delivered(message);
                await CallAsync(broker => broker.AckAsync(Group, Topic, [message.ReceiptHandle], CancellationToken.None));
            }
        }
    }

    private async Task SendOneAsync()
    {
        var id = cluster.Timers.Invoke();
        var node = cluster.Calls.Choose();
        var draft = new MessageDraft
        {
            Body = new byte[1 + random.Next(100)],
            MessageId = id,
            Type = MessageType.Delay,
            DeliverAtMicroseconds = (node.Replication?.LogTimeNow ?? 0) + DrawDelay(),
        };
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.AppendAsync(Topic, [draft], CancellationToken.None), cluster.Scenario.CallPatience);
        if (!isAnswered)
        {
            return;
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        if (outcome.Succeeded)
        {
            cluster.Timers.Acked(id, outcome.Messages[0]);
            if (outcome.Messages[0].RecallHandle is { } handle)
            {
                _handles.Add((id, handle));
            }
        }
    }

    private long DrawDelay() => random.Chance(0.1) ? -1_000
        : random.Chance(0.15) ? Never
        : random.Chance(0.3) ? random.Next(0, 20_000)
        : random.NextLogarithmic(10_000, 3_000_000);

    private async Task RecallAsync(string id, string handle)
    {
        var (isAnswered, outcome) = await CallAsync(broker => broker.RecallAsync(Topic, handle, CancellationToken.None));
        if (isAnswered && outcome.Failure is null)
        {
            cluster.Timers.Recalled(id);
        }
        else if (isAnswered && outcome.Failure?.Error == BrokerError.MessageNotFound)
        {
            cluster.Timers.NotFound(id);
        }
    }

    private async Task MoveAsync(string id)
    {
        var deliverAt = (cluster.Calls.Choose().Replication?.LogTimeNow ?? 0) + DrawDelay();
        var selection = new PendingSelection { Topic = Topic, MessageId = id };
        await CallAsync(broker => broker.MovePendingAsync(selection, Math.Max(0, deliverAt), 10, null, CancellationToken.None));
    }

    private async Task<(bool IsAnswered, T? Answer)> CallAsync<T>(Func<BrokerNode, ValueTask<T>> call)
    {
        SimulatedNode node = cluster.Calls.Choose();
        return await cluster.Calls.CallAsync(node, call, cluster.Scenario.CallPatience);
    }
}
