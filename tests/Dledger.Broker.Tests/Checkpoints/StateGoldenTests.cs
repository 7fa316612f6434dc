using Dledger.Broker.Deduplication;
using Dledger.Broker.Groups;
using Dledger.Broker.Lites;
using Dledger.Broker.Messages;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Timers;
using Dledger.Broker.Topics;
using Dledger.Broker.Transactions;
using Dledger.Storage.Checkpoints;
using Dledger.Testing.Golden;

namespace Dledger.Broker.Tests.Checkpoints;

public sealed class StateGoldenTests
{
    [Theory]
    [InlineData("meta", 1)]
    [InlineData("topics", 3)]
    [InlineData("groups", 5)]
    [InlineData("leases", 2)]
    [InlineData("resent", 1)]
    public async Task A_part_of_the_checkpoint_is_frozen(string part, int version)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 2);
        var change = new TopicChange { Name = "t", RetentionTime = TimeSpan.FromHours(2), RetentionBytes = 1 << 30 };
        Assert.Null(await broker.Run(node => node.UpdateTopicAsync(change, CancellationToken.None)));
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { MaxAttempts = 2 } });
        for (var i = 0; i < 8; i++)
        {
            await broker.Send("t", $"m{i}", "tag");
        }

        var messages = await broker.Receive("g", "t", batch: 4, invisibleSeconds: 60, attemptId: "attempt");
        await broker.Ack("g", "t", messages[1]);
        await broker.Run(node => node.ChangeInvisibleAsync(
            "g", "t", messages[2].ReceiptHandle, TimeSpan.FromSeconds(5), suspend: true, CancellationToken.None));
        broker.Restart(graceful: true);

        var checkpoint = new StateCheckpointStore(broker.Disk, "state").ReadNewest(broker.Log.End, out _);

        GoldenFile.Check($"state-{part}-v{version}.hex", checkpoint!.Parts[part]);
    }

    [Fact]
    public async Task The_part_of_the_groups_is_frozen_with_members_of_a_broadcast_group()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        await broker.CreateGroup(
            new GroupSpec { Name = "all", Start = GroupStart.Earliest, Settings = new GroupSettings { Broadcast = true } });
        await broker.Send("t", "m");
        await broker.Receive("all", "t");
        broker.Restart(graceful: true);

        var checkpoint = new StateCheckpointStore(broker.Disk, "state").ReadNewest(broker.Log.End, out _);

        GoldenFile.Check("state-groups-broadcast-v5.hex", checkpoint!.Parts["groups"]);
    }

    [Fact]
    public async Task The_part_of_processed_keys_is_frozen()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        var dedup = new DedupSettings(DedupSource.MessageId, "", 0, 0);
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { Dedup = dedup } });
        foreach (var body in new[] { "acked", "acked", "held" })
        {
            await broker.Send("t", body);
        }

        await broker.Ack("g", "t", (await broker.Receive("g", "t", batch: 1))[0]);
        await broker.Receive("g", "t");
        broker.Restart(graceful: true);

        var checkpoint = new StateCheckpointStore(broker.Disk, "state").ReadNewest(broker.Log.End, out _);

        GoldenFile.Check("state-processed-v1.hex", checkpoint!.Parts[ProcessedKeysPart.Name]);
    }

    [Fact]
    public async Task The_part_of_the_lite_topics_is_frozen()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", types: MessageTypeSet.Lite);
        foreach (var name in new[] { "ended", "lasting", "lasting", "second" })
        {
            var draft = TestBroker.Draft(name) with { Type = MessageType.Lite, LiteTopic = name };
            Assert.True((await broker.Run(node => node.AppendAsync("t", [draft], CancellationToken.None))).Succeeded);
            broker.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Null(await broker.Run(node => node.DeleteLiteAsync("t", "ended", CancellationToken.None)));
        broker.Restart(graceful: true);

        var checkpoint = new StateCheckpointStore(broker.Disk, "state").ReadNewest(broker.Log.End, out _);

        GoldenFile.Check("state-lites-v1.hex", checkpoint!.Parts[LitesPart.Name]);
    }

    [Fact]
    public async Task The_part_of_the_transactions_is_frozen()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", types: MessageTypeSet.Of(MessageType.Transaction));
        await broker.Run(node => node.UpdateTopicAsync(
            new TopicChange { Name = "t", CheckCountMax = 1, Webhook = new TransactionWebhook("http://h/", "s") },
            CancellationToken.None));
        var ids = new List<string>();
        foreach (var body in new[] { "open", "committed", "rolledBack" })
        {
            var draft = TestBroker.Draft(body) with { Type = MessageType.Transaction };
            var outcome = await broker.Run(node => node.AppendAsync("t", [draft, draft], CancellationToken.None));
            ids.Add(outcome.Messages[0].TransactionId!);
        }

        await broker.Run(node => node.EndTransactionsAsync(
            [ids[1]], TransactionResolution.Commit, TransactionDecider.Producer, CancellationToken.None));
        await broker.Run(node => node.EndTransactionsAsync(
            [ids[2]], TransactionResolution.Rollback, TransactionDecider.Operator, CancellationToken.None));
        broker.Restart(graceful: true);

        var checkpoint = new StateCheckpointStore(broker.Disk, "state").ReadNewest(broker.Log.End, out _);

        GoldenFile.Check("state-transactions-v1.hex", checkpoint!.Parts["transactions"]);
    }

    [Fact]
    public async Task The_part_of_the_delayed_messages_is_frozen()
    {
        var broker = new TestBroker(new BrokerOptions { TimerMemoryMax = 4 });
        await broker.CreateTopic("t", types: MessageTypeSet.Of(MessageType.Delay));
        for (var i = 1; i <= 6; i++)
        {
            await broker.SendDelayed("t", $"m{i}", TimeSpan.FromSeconds(10 * i));
        }

        var sixth = new PendingSelection { Topic = "t", MessageId = "id-m6" };
        var later = broker.Time.NowMicroseconds + 90_000_000;
        Assert.Equal(1, (await broker.Run(node => node.MovePendingAsync(sixth, later, 10, null, CancellationToken.None))).ChangedCount);
        broker.Restart(graceful: true);

        var checkpoint = new StateCheckpointStore(broker.Disk, "state").ReadNewest(broker.Log.End, out _);

        GoldenFile.Check("state-timers-v1.hex", checkpoint!.Parts["timers"]);
    }
}
