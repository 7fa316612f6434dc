using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Tests.Simulation;
using Dledger.Replication;

namespace Dledger.Broker.Tests.Replaying;

/// <summary>
/// Random work against <see cref="GroupModel"/>; afterwards every way to the state must give the same state (I36).
/// </summary>
public sealed class RandomWorkloadTests
{
    private const int MaxAttempts = 3;
    private static readonly CancellationToken None = CancellationToken.None;

    public static TheoryData<int> Seeds() => new(Enumerable.Range(1, 40));

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task The_broker_does_what_the_model_says_and_replays_to_the_same_state(int seed)
    {
        try
        {
            await RunWorkload(seed);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
        }
    }

    private static async Task RunWorkload(int seed)
    {
        var random = new Random(seed);
        var broker = new TestBroker();
        var model = new GroupModel(MaxAttempts);
        var handles = new List<DeliveredMessage>();
        await broker.CreateTopic("t", random.Next(1, 5));
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { MaxAttempts = MaxAttempts } });
        var sent = 0;
        for (var step = 0; step < 300; step++)
        {
            switch (random.Next(20))
            {
                case < 6:
                    var body = $"m{sent++}";
                    var appended = await broker.Send("t", body);
                    model.Sent(appended.QueueId, appended.QueueOffset.Value, body);
                    break;
                case < 11:
                    await Receive(broker, model, handles, random);
                    break;
                case < 14 when handles.Count > 0:
                    var acked = handles[random.Next(handles.Count)];
                    var failure = await broker.Ack("g", "t", acked);
                    Assert.Equal(
                        model.Ack(acked.QueueId, acked.QueueOffset.Value, acked.ReceiptHandle), failure is null);
                    break;
                case < 16 when handles.Count > 0:
                    await Change(broker, model, handles[random.Next(handles.Count)], random);
                    break;
                case < 19:
                    broker.Time.Advance(TimeSpan.FromMilliseconds(random.Next(1, 4_000)));
                    broker.Settle();
                    model.Advance(broker.Time.NowMicroseconds);
                    break;
                default:
                    Disturb(broker, random);
                    break;
            }
        }

        await CheckEnd(broker, model);
    }

    private static async Task Receive(
        TestBroker broker, GroupModel model, List<DeliveredMessage> handles, Random random)
    {
        var batch = random.Next(1, 6);
        var seconds = random.Next(1, 8);
        var expected = Math.Min(batch, model.AvailableCount);
        var messages = await broker.Receive("g", "t", batch, seconds);
        Assert.Equal(expected, messages.Count);
        foreach (var message in messages)
        {
            model.Delivered(
                message.QueueId,
                message.QueueOffset.Value,
                TestBroker.Text(message),
                message.Attempt,
                message.ReceiptHandle,
                broker.Time.NowMicroseconds + (seconds * 1_000_000L));
            handles.Add(message);
        }
    }

    private static async Task Change(TestBroker broker, GroupModel model, DeliveredMessage message, Random random)
    {
        var seconds = random.Next(0, 5);
        var suspend = random.Next(3) == 0;
        var outcome = await broker.Run(node => node.ChangeInvisibleAsync(
            "g", "t", message.ReceiptHandle, TimeSpan.FromSeconds(seconds), suspend, None));
        var now = broker.Time.NowMicroseconds;
        var expected = model.Change(
            message.QueueId,
            message.QueueOffset.Value,
            message.ReceiptHandle,
            now + (seconds * 1_000_000L),
            suspend,
            now);
        Assert.Equal(expected, outcome.Succeeded);
    }

    private static void Disturb(TestBroker broker, Random random)
    {
        switch (random.Next(4))
        {
            case 0:
                broker.Restart(graceful: true);
                break;
            case 1:
                broker.Restart(graceful: false);
                break;
            case 2:
                broker.Log.Maintain();
                break;
            default:
                broker.Log.LoseLeadership(ProposalFailureKind.OutcomeUnknown);
                broker.Log.Lead();
                break;
        }

        broker.Settle();
    }

    private static async Task CheckEnd(TestBroker broker, GroupModel model)
    {
        var description = (await broker.Run(node => node.DescribeGroupAsync("g", None))).Group;
        Assert.Equal(model.UnfinishedCount, description!.Queues.Sum(queue => queue.Lag));
        var dead = new List<string>();
        if (broker.Node.FindTopic("%DLQ%g") is not null)
        {
            while (await broker.Receive("watch", "%DLQ%g", invisibleSeconds: 3600) is { Count: > 0 } messages)
            {
                dead.AddRange(messages.Select(TestBroker.Text));
            }
        }

        Assert.Equal(model.Dead.Order(), dead.Order());
        var hash = broker.StateHash;
        Assert.Equal(hash, broker.ReplayedStateHash());
        broker.Node.StateMachine.Stop();
        Assert.Equal(hash, broker.HashAt(broker.Log.End));
    }
}
