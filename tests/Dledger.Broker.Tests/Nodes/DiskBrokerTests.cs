using System.Collections.Concurrent;
using System.Text;
using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Broker.Tests.Simulation;
using Xunit.Abstractions;

namespace Dledger.Broker.Tests.Nodes;

public sealed class DiskBrokerTests(ITestOutputHelper output)
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Many_producers_and_receivers_at_once_see_every_message_once()
    {
        const int Producers = 8;
        const int PerProducer = 500;
        await using var broker = new DiskBroker();
        await broker.StartAsync();
        await broker.Node.FindOrCreateTopicAsync("t", None);
        var received = new ConcurrentDictionary<string, int>();
        using var done = new CancellationTokenSource(TimeSpan.FromSeconds(60));

        var startedAt = TimeProvider.System.GetTimestamp();
        var node = broker.Node;
        var receivers = Enumerable.Range(0, 8).Select(n => Task.Run(() => ReceiveAllAsync(
            node, $"client-{n}", received, () => received.Count == Producers * PerProducer, done.Token))).ToList();
        var producers = Enumerable.Range(0, Producers).Select(n => Task.Run(() => SendAllAsync(node, n, PerProducer)));
        var offsets = (await Task.WhenAll(producers)).SelectMany(list => list).ToList();
        await Task.WhenAll(receivers);

        var seconds = TimeProvider.System.GetElapsedTime(startedAt).TotalSeconds;
        output.WriteLine($"{Producers * PerProducer / seconds:F0} messages/s end to end");
        Assert.Equal(Producers * PerProducer, received.Count);
        Assert.All(received, entry => Assert.Equal(1, entry.Value));
        Assert.Equal(offsets.Count, offsets.Distinct().Count());
        var (topic, _) = await broker.Node.DescribeTopicAsync("t", None);
        foreach (var queue in topic!.Queues)
        {
            var ofQueue = offsets.Where(offset => offset.QueueId == queue.QueueId).Select(offset => offset.Offset);
            Assert.Equal(Enumerable.Range(0, (int)queue.Max.Value).Select(n => (long)n), ofQueue.Order());
        }
    }

    [Fact]
    public async Task A_restarted_broker_has_messages_leases_and_acknowledgements()
    {
        await using var broker = new DiskBroker();
        await broker.StartAsync();
        for (var i = 0; i < 50; i++)
        {
            Assert.True((await broker.Node.AppendAsync("t", [TestBroker.Draft($"m{i}")], None)).Succeeded);
        }

        var leased = await ReceiveAsync(broker.Node, 10);
        var outcomes = await broker.Node.AckAsync("g", "t", [.. leased.Take(5).Select(m => m.ReceiptHandle)], None);
        Assert.All(outcomes, outcome => Assert.True(outcome.Succeeded));
        var hash = ((StateMachine.BrokerStateMachine)broker.Node.StateMachine).StateHash;
        await broker.StopAsync();
        await broker.StartAsync();

        var late = await broker.Node.AckAsync("g", "t", [.. leased.Skip(5).Select(m => m.ReceiptHandle)], None);
        Assert.All(late, outcome => Assert.True(outcome.Succeeded));
        var rest = new List<DeliveredMessage>();
        while (await ReceiveAsync(broker.Node, 32) is { Count: > 0 } messages)
        {
            rest.AddRange(messages);
        }

        Assert.Equal(40, rest.Count);
        Assert.Empty(rest.Select(TestBroker.Text).Intersect(leased.Select(TestBroker.Text)));
        Assert.NotEqual(0ul, hash);
    }

    [Fact]
    public async Task A_lease_ends_by_the_real_clock()
    {
        await using var broker = new DiskBroker();
        await broker.StartAsync();
        await broker.Node.AppendAsync("t", [TestBroker.Draft("m")], None);
        var request = TestBroker.Request("g", "t", 1, 1, "*", null);
        Assert.Single((await broker.Node.ReceiveAsync(request, None)).Messages);

        var startedAt = TimeProvider.System.GetTimestamp();
        var again = await broker.Node.ReceiveAsync(request with { LongPoll = TimeSpan.FromSeconds(15) }, None);

        Assert.Equal(2, Assert.Single(again.Messages).Attempt);
        Assert.InRange(TimeProvider.System.GetElapsedTime(startedAt).TotalSeconds, 0.5, 10);
    }

    [Fact]
    public async Task A_stopping_broker_ends_its_parked_receives()
    {
        await using var broker = new DiskBroker();
        await broker.StartAsync();
        await broker.Node.FindOrCreateTopicAsync("t", None);
        var node = broker.Node;
        var poll = node.ReceiveAsync(
            TestBroker.Request("g", "t", 1, 30, "*", null) with { LongPoll = TimeSpan.FromSeconds(20) }, None).AsTask();
        await DiskBroker.WaitAsync(() => node.Machine.Receivers.ParkedCount == 1, "the receive is parked");

        var startedAt = TimeProvider.System.GetTimestamp();
        await broker.StopAsync();
        var outcome = await poll;

        Assert.True(outcome.Failure?.Error is BrokerError.Stopping or BrokerError.NotLeader, $"{outcome.Failure}");
        Assert.InRange(TimeProvider.System.GetElapsedTime(startedAt).TotalSeconds, 0, 10);
    }

    private static async Task<IReadOnlyList<DeliveredMessage>> ReceiveAsync(BrokerNode node, int batch)
    {
        var outcome = await node.ReceiveAsync(TestBroker.Request("g", "t", batch, 60, "*", null), None);
        Assert.True(outcome.Succeeded, $"{outcome.Failure}");
        return outcome.Messages;
    }

    private static async Task<List<(int QueueId, long Offset)>> SendAllAsync(BrokerNode node, int producer, int count)
    {
        var offsets = new List<(int, long)>();
        for (var i = 0; i < count; i++)
        {
            var outcome = await node.AppendAsync("t", [TestBroker.Draft($"{producer}-{i}")], None);
            Assert.True(outcome.Succeeded, $"{outcome.Failure}");
            offsets.Add((outcome.Messages[0].QueueId, outcome.Messages[0].QueueOffset.Value));
        }

        return offsets;
    }

    private static async Task ReceiveAllAsync(
        BrokerNode node,
        string client,
        ConcurrentDictionary<string, int> received,
        Func<bool> isDone,
        CancellationToken cancellationToken)
    {
        while (!isDone())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var request = new ReceiveRequest
            {
                Group = "g",
                Topic = "t",
                BatchSize = 16,
                AutoRenew = true,
                ClientId = client,
                LongPoll = TimeSpan.FromMilliseconds(300),
            };
            var outcome = await node.ReceiveAsync(request, cancellationToken);
            Assert.True(outcome.Succeeded, $"{outcome.Failure}");
            if (outcome.Messages.Count > 0)
            {
                foreach (var message in outcome.Messages)
                {
                    received.AddOrUpdate(Encoding.UTF8.GetString(message.Body.Span), 1, (_, count) => count + 1);
                }

                var acks = await node.AckAsync(
                    "g", "t", [.. outcome.Messages.Select(message => message.ReceiptHandle)], cancellationToken);
                Assert.All(acks, ack => Assert.True(ack.Succeeded, $"{ack.Failure}"));
            }
        }
    }
}
