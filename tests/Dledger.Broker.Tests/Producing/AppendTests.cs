using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Tests.Simulation;
using Dledger.Primitives;
using Dledger.Replication;

namespace Dledger.Broker.Tests.Producing;

public sealed class AppendTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_message_comes_back_with_everything_its_producer_set()
    {
        var broker = new TestBroker();
        var draft = TestBroker.Draft("hello", "tag-a") with
        {
            Keys = ["key 1", "key-2"],
            UserProperties =
            [
                KeyValuePair.Create("b", "2"), KeyValuePair.Create("a", "ä"), KeyValuePair.Create("empty", ""),
            ],
            BodyEncoding = BodyEncoding.Gzip,
            TraceContext = "trace",
        };

        var appended = await broker.Run(node => node.AppendAsync("t", [draft], None));
        var message = Assert.Single(await broker.Receive("g", "t"));

        Assert.Equal(draft.Body.ToArray(), message.Body.ToArray());
        Assert.Equal((draft.MessageId, draft.Tag, draft.BornHost), (message.MessageId, message.Tag, message.BornHost));
        Assert.Equal(draft.Keys, message.Keys);
        Assert.Equal(draft.UserProperties, message.UserProperties);
        Assert.Equal((BodyEncoding.Gzip, MessageType.Normal), (message.BodyEncoding, message.Type));
        Assert.Equal("trace", message.TraceContext);
        Assert.Equal(draft.BornTimeMicroseconds, message.BornTimeMicroseconds);
        Assert.Equal(1, message.Attempt);
        Assert.Null(message.MessageGroup);
        Assert.Null(message.DeadLetterOrigin);
        var where = Assert.Single(appended.Messages);
        Assert.Equal(
            (where.QueueId, where.QueueOffset, where.Position, where.StoreTimeMicroseconds),
            (message.QueueId, message.QueueOffset, message.Position, message.StoreTimeMicroseconds));
    }

    [Fact]
    public async Task Messages_go_round_the_queues_and_offsets_are_dense()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 4);

        var appended = new List<AppendedMessage>();
        for (var i = 0; i < 12; i++)
        {
            appended.Add(await broker.Send("t", $"m{i}"));
        }

        foreach (var queue in appended.GroupBy(message => message.QueueId))
        {
            Assert.Equal([0, 1, 2], queue.Select(message => message.QueueOffset.Value));
        }

        Assert.Equal(4, appended.Select(message => message.QueueId).Distinct().Count());
    }

    [Fact]
    public async Task Two_topics_written_in_turn_still_use_all_their_queues()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("a", queues: 2);
        await broker.CreateTopic("b", queues: 2);

        var queues = new HashSet<int>();
        for (var i = 0; i < 4; i++)
        {
            queues.Add((await broker.Send("a", $"a{i}")).QueueId);
            await broker.Send("b", $"b{i}");
        }

        Assert.Equal(2, queues.Count);
    }

    [Fact]
    public async Task A_batch_lies_in_order_in_one_queue()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 4);
        await broker.Send("t", "first");

        var outcome = await broker.Run(node => node.AppendAsync(
            "t", [TestBroker.Draft("a"), TestBroker.Draft("b"), TestBroker.Draft("c")], None));

        Assert.True(outcome.Succeeded);
        Assert.Single(outcome.Messages.Select(message => message.QueueId).Distinct());
        Assert.Equal([0, 1, 2], outcome.Messages.Select(message => message.QueueOffset.Value));
        Assert.True(outcome.Messages[0].Position < outcome.Messages[1].Position);
    }

    [Fact]
    public async Task An_unknown_topic_is_refused_unless_topics_are_created_on_use()
    {
        var strict = new TestBroker(new BrokerOptions());
        var open = new TestBroker(new BrokerOptions { AutoCreateTopics = true });

        var refused = await strict.Run(node => node.AppendAsync("t", [TestBroker.Draft("m")], None));
        await open.Send("t", "m");

        Assert.Equal(BrokerError.TopicNotFound, refused.Failure?.Error);
        Assert.Null(strict.Node.FindTopic("t"));
        Assert.Equal(8, open.Node.FindTopic("t")?.QueueCount);
    }

    [Fact]
    public async Task A_type_that_the_topic_does_not_accept_is_a_mismatch()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("normal");

        var fifo = await broker.Run(node => node.AppendAsync("normal", [TestBroker.Draft("m", group: "g")], None));
        var lite = await broker.Run(node => node.AppendAsync(
            "normal", [TestBroker.Draft("m") with { Type = MessageType.Lite, LiteTopic = "one" }], None));

        Assert.Equal(BrokerError.MessageTypeMismatch, fifo.Failure?.Error);
        Assert.Equal(BrokerError.MessageTypeMismatch, lite.Failure?.Error);
    }

    [Fact]
    public async Task Messages_of_one_group_share_a_queue()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", 8, MessageTypeSet.Of(MessageType.Fifo));

        var queues = new HashSet<int>();
        for (var i = 0; i < 10; i++)
        {
            queues.Add((await broker.Send("t", $"m{i}", group: "order-1")).QueueId);
        }

        Assert.Single(queues);
    }

    [Fact]
    public async Task A_batch_over_two_message_groups_is_refused()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", 8, MessageTypeSet.Of(MessageType.Fifo));

        var outcome = await broker.Run(node => node.AppendAsync(
            "t", [TestBroker.Draft("a", group: "g1"), TestBroker.Draft("b", group: "g2")], None));

        Assert.Equal(BrokenRule.Batch, outcome.Failure?.Rule);
    }

    [Fact]
    public async Task A_node_that_does_not_lead_names_the_leader_and_stores_nothing()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        broker.Log.LoseLeadership();
        var end = broker.Log.End;

        var outcome = await broker.Run(node => node.AppendAsync("t", [TestBroker.Draft("m")], None));

        Assert.Equal(BrokerError.NotLeader, outcome.Failure?.Error);
        Assert.Equal(new NodeId(2), outcome.Failure?.Leader);
        Assert.Equal(end, broker.Log.End);
    }

    [Fact]
    public async Task A_leader_that_falls_before_the_commit_answers_unknown()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        broker.Log.IsHeld = true;

        var call = broker.Start(node => node.AppendAsync("t", [TestBroker.Draft("m")], None));
        Assert.False(call.IsCompleted);
        broker.Log.LoseLeadership(ProposalFailureKind.OutcomeUnknown);
        broker.Settle();

        Assert.Equal(BrokerError.OutcomeUnknown, (await call).Failure?.Error);
    }

    [Fact]
    public async Task A_full_inbox_answers_busy()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        broker.Log.IsBusy = true;

        var outcome = await broker.Run(node => node.AppendAsync("t", [TestBroker.Draft("m")], None));

        Assert.Equal(BrokerError.Busy, outcome.Failure?.Error);
    }

    [Fact]
    public async Task A_topic_deleted_while_a_batch_is_under_way_refuses_all_of_it()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        broker.Log.IsHeld = true;

        var delete = broker.Start(node => node.DeleteTopicAsync("t", None));
        var append = broker.Start(node => node.AppendAsync("t", [TestBroker.Draft("a"), TestBroker.Draft("b")], None));
        broker.Log.IsHeld = false;
        broker.Settle();

        Assert.Null(await delete);
        Assert.Equal(BrokerError.TopicNotFound, (await append).Failure?.Error);
    }
}
