using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Parking;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Replaying;

/// <summary>A state with very many parked, delayed and leased messages is the same on whoever has it.</summary>
public sealed class LargeStateTests
{
    private const int Count = 100_000;
    private const int BatchCount = 1_000;
    private const int QueueCount = 4;

    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_hundred_thousand_parked_delayed_and_leased_messages_survive_the_loss_of_their_leader_exactly()
    {
        var broker = await Prepare();
        await Fill(broker, "orders", static (_, draft) => draft);
        await Lease(broker, invisibleSeconds: 10);
        broker.Advance(TimeSpan.FromSeconds(11));
        await Fill(broker, "orders", static (_, draft) => draft);
        var leases = await Lease(broker, invisibleSeconds: 3_600);
        var due = broker.Time.NowMicroseconds + 600_000_000;
        await Fill(
            broker,
            "later",
            (number, draft) => draft with { Type = MessageType.Delay, DeliverAtMicroseconds = due + (number * 1_000L) });
        var (hash, end) = (broker.StateHash, broker.Log.End);
        Assert.Equal((Count, Count, Count), Counts(broker));

        // A follower that applied the same log; it, and then nodes that were killed or stopped, take over.
        Assert.Equal(hash, broker.ReplayedStateHash());
        broker.Log.LoseLeadership();
        broker.Log.Lead();
        Assert.Equal((Count, Count, Count), Counts(broker));
        foreach (var isGraceful in new[] { false, true })
        {
            broker.Restart(isGraceful);
            Assert.Equal(hash, broker.HashAt(end));
            Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
            Assert.Equal((Count, Count, Count), Counts(broker));
        }

        // The new leader goes on: it takes the handles of the old one, releases what is parked, delivers what is due.
        Assert.Null(await broker.Ack("g", "orders", leases[Count / 2].ReceiptHandle));
        var parked = new ParkingSelection { Group = "g", Topic = "orders", QueueId = 0, Offset = 0 };
        Assert.Equal((1, null), await broker.Run(node => node.ReleaseParkedAsync(parked, None)));
        broker.Advance(TimeSpan.FromSeconds(601));
        Assert.Equal(32, (await broker.Receive("later", "later")).Count);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    private static (int Parked, int Leased, int Delayed) Counts(TestBroker broker)
    {
        var state = broker.Node.Machine.State;
        var group = state.Groups.Find("g")!;
        return (group.Subscriptions.Values.Sum(each => each.Cursors.Sum(cursor => cursor.ParkedSince.Count)), group.InFlight.Total, (int)state.Timers.CountOf(state.Topics.Find("later")!.Id));
    }

    private static async Task<TestBroker> Prepare()
    {
        var broker = new TestBroker(new BrokerOptions { DeliveryWindow = 4_096 });
        await broker.CreateTopic("orders", QueueCount);
        await broker.CreateTopic("later", QueueCount, MessageTypeSet.Of(MessageType.Delay));
        await broker.CreateGroup(new GroupSpec
        {
            Name = "g",
            Settings = GroupSettings.Default with { MaxAttempts = 1, Poison = PoisonMode.Park, MaxInFlight = Count, MaxInFlightPerClient = Count },
        });
        await broker.CreateGroup(new GroupSpec { Name = "later" });
        return broker;
    }

    private static async Task Fill(
        TestBroker broker, string topic, Func<int, MessageDraft, MessageDraft> complete)
    {
        for (var first = 0; first < Count; first += BatchCount)
        {
            var drafts = Enumerable.Range(first, BatchCount)
                .Select(number => complete(number, TestBroker.Draft($"{number}"))).ToList();
            var outcome = await broker.Run(node => node.AppendAsync(topic, drafts, None));
            Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        }
    }

    private static async Task<List<DeliveredMessage>> Lease(TestBroker broker, double invisibleSeconds)
    {
        var all = new List<DeliveredMessage>();
        while (all.Count < Count)
        {
            var messages = await broker.Receive("g", "orders", invisibleSeconds: invisibleSeconds);
            Assert.NotEmpty(messages);
            all.AddRange(messages);
        }

        return all;
    }
}
