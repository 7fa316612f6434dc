using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;

namespace Dledger.Broker.Tests.Topics;

public sealed class TopicTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_topic_is_created_once_and_listed_by_name()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("b", queues: 3);
        await broker.CreateTopic("a", queues: 1);

        var again = await broker.Run(node => node.CreateTopicAsync(new TopicSpec { Name = "a" }, None));

        Assert.Equal(BrokerError.AlreadyExists, again?.Error);
        Assert.Equal(["a", "b"], broker.Node.Topics.Select(topic => topic.Name));
        Assert.Equal(3, broker.Node.FindTopic("b")?.QueueCount);
    }

    [Fact]
    public async Task A_route_query_creates_a_topic_only_where_that_is_allowed()
    {
        var open = new TestBroker(new BrokerOptions { AutoCreateTopics = true, AutoCreateQueueCount = 5 });
        var strict = new TestBroker(new BrokerOptions());

        var (created, _) = await open.Run(node => node.FindOrCreateTopicAsync("t", None));
        var (missing, failure) = await strict.Run(node => node.FindOrCreateTopicAsync("t", None));

        Assert.Equal(5, created?.QueueCount);
        Assert.Null(missing);
        Assert.Equal(BrokerError.TopicNotFound, failure?.Error);
    }

    [Fact]
    public async Task A_name_against_the_rules_is_refused_before_anything_is_stored()
    {
        var broker = new TestBroker();
        var end = broker.Log.End;

        var created = await broker.Run(node => node.CreateTopicAsync(new TopicSpec { Name = "no spaces" }, None));
        var found = await broker.Run(node => node.FindOrCreateTopicAsync("TBW102", None));
        var sent = await broker.Run(node => node.AppendAsync("ü", [TestBroker.Draft("m")], None));

        Assert.Equal(BrokenRule.TopicName, created?.Rule);
        Assert.Equal(BrokenRule.TopicName, found.Failure?.Rule);
        Assert.Equal(BrokenRule.TopicName, sent.Failure?.Rule);
        Assert.Equal(end, broker.Log.End);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1025)]
    public async Task A_queue_count_out_of_range_is_refused(int count)
    {
        var broker = new TestBroker();

        var failure = await broker.Run(node => node.CreateTopicAsync(
            new TopicSpec { Name = "t", QueueCount = count }, None));

        Assert.Equal(BrokenRule.QueueCount, failure?.Rule);
    }

    [Fact]
    public async Task Queues_can_be_added_never_removed_and_groups_see_the_new_ones()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        await broker.Send("t", "old");
        Assert.Single(await broker.Receive("g", "t"));

        var three = new TopicSpec { Name = "t", QueueCount = 3 };
        Assert.Null(await broker.Run(node => node.UpdateTopicAsync(three, None)));
        var shrunk = await broker.Run(node => node.UpdateTopicAsync(three with { QueueCount = 2 }, None));
        for (var i = 0; i < 3; i++)
        {
            await broker.Send("t", $"new{i}");
        }

        Assert.Equal(BrokenRule.QueueCount, shrunk?.Rule);
        Assert.Equal([0, 1, 2], (await broker.Receive("g", "t")).Select(message => message.QueueId).Order());
    }

    [Fact]
    public async Task A_topic_created_again_begins_empty_and_knows_no_old_handle()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        await broker.Send("t", "old");
        var message = Assert.Single(await broker.Receive("g", "t"));

        Assert.Null(await broker.Run(node => node.DeleteTopicAsync("t", None)));
        Assert.Equal(BrokerError.TopicNotFound, (await broker.Ack("g", "t", message))?.Error);
        await broker.CreateTopic("t");

        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Equal(BrokerError.InvalidHandle, (await broker.Ack("g", "t", message))?.Error);
        Assert.Equal(0, (await broker.Send("t", "new")).QueueOffset.Value);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task Deleting_an_unknown_topic_says_so()
    {
        var broker = new TestBroker();

        Assert.Equal(BrokerError.TopicNotFound, (await broker.Run(node => node.DeleteTopicAsync("t", None)))?.Error);
    }

    [Fact]
    public async Task A_description_shows_every_queue_with_its_bounds()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 2);
        await broker.Send("t", "a");
        await broker.Send("t", "b");
        await broker.Send("t", "c");

        var description = (await broker.Run(node => node.DescribeTopicAsync("t", None))).Topic;

        Assert.Equal([0, 1], description!.Queues.Select(queue => queue.QueueId));
        Assert.Equal(3, description.Queues.Sum(queue => queue.Max - queue.Min));
        var (none, failure) = await broker.Run(node => node.DescribeTopicAsync("other", None));
        Assert.Null(none);
        Assert.Equal(BrokerError.TopicNotFound, failure?.Error);
    }

    [Fact]
    public void A_set_of_types_knows_its_members()
    {
        var set = MessageTypeSet.Of(MessageType.Fifo, MessageType.Normal);

        Assert.Equal([MessageType.Normal, MessageType.Fifo], set.ToList());
        Assert.True(set.Contains(MessageType.Fifo));
        Assert.False(set.Contains(MessageType.Delay));
        Assert.False(new MessageTypeSet(0).IsValid);
        Assert.False(new MessageTypeSet(0x81).IsValid);
    }
}
