using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

/// <summary>Quotas as clients see them. Debts of a minute and more, so that no slow machine pays them off during a test.</summary>
public sealed class QuotaTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Fact]
    public async Task A_send_beyond_the_quota_of_its_topic_is_told_the_reason_and_when_to_come_again()
    {
        var topic = await LimitedTopicAsync();
        await Client.SendAsync([.. Enumerable.Range(0, 100).Select(_ => Client.Message(topic))]);

        var response = await Client.SendAsync(Client.Message(topic), Client.Message(topic));

        Assert.Equal(Code.TooManyRequests, response.Status.Code);
        Assert.Equal([Code.TooManyRequests, Code.TooManyRequests], response.Entries.Select(entry => entry.Status.Code));
        Assert.Matches(
            $"^the topic '{topic}' takes at most 1 messages per second, .*; nothing was stored; retry in ([0-9]{{5}}|100000) ms$",
            response.Status.Message);
        Assert.Equal(100, await shared.StoredCountAsync(topic));
    }

    [Fact]
    public async Task A_quota_is_described_and_is_gone_when_it_is_set_to_nothing()
    {
        var topic = await LimitedTopicAsync();
        await Client.SendAsync([.. Enumerable.Range(0, 100).Select(_ => Client.Message(topic))]);

        var described = await Client.Admin.DescribeTopicAsync(new DescribeTopicRequest { Name = topic }, Client.Options());
        var altered = await Client.Admin.AlterTopicAsync(
            new AlterTopicRequest { Name = topic, ProduceMessagesPerSecond = 0 }, Client.Options());

        Assert.Equal(1, described.Topic.ProduceMessagesPerSecond);
        Assert.Equal(0, altered.Topic.ProduceMessagesPerSecond);
        Assert.Equal(Code.Ok, (await Client.SendAsync(Client.Message(topic))).Status.Code);
    }

    [Fact]
    public async Task A_poll_of_a_group_that_was_given_too_much_waits_and_says_so_instead_of_that_there_is_nothing()
    {
        var topic = await shared.NewTopicAsync();
        var group = await LimitedGroupAsync(1);
        await Client.SendAsync(Client.Message(topic), Client.Message(topic));
        Assert.Single(await Client.ReceiveAsync(topic, group));
        var watch = System.Diagnostics.Stopwatch.StartNew();

        var frames = await Client.ReceiveFramesAsync(Client.ReceiveRequest(
            topic, group, request => request.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(1))));

        Assert.True(watch.Elapsed >= TimeSpan.FromSeconds(0.9), $"held for {watch.Elapsed}");
        var status = frames.Single(frame => frame.ContentCase == ReceiveMessageResponse.ContentOneofCase.Status).Status;
        Assert.Equal(Code.TooManyRequests, status.Code);
        Assert.Matches(
            $"^the consumer group '{group}' is given at most 1 bytes per second, .*; messages wait; retry in [0-9]+ ms$",
            status.Message);
        Assert.DoesNotContain(frames, frame => frame.ContentCase == ReceiveMessageResponse.ContentOneofCase.Message);
    }

    [Fact]
    public async Task A_held_poll_gets_its_messages_when_the_quota_is_raised()
    {
        var topic = await shared.NewTopicAsync();
        var group = await LimitedGroupAsync(1);
        await Client.SendAsync(Client.Message(topic), Client.Message(topic));
        Assert.Single(await Client.ReceiveAsync(topic, group));

        var poll = Client.ReceiveAsync(
            topic, group, request => request.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(15)));
        var altered = await Client.Admin.AlterGroupAsync(
            new AlterGroupRequest { Name = group, ReceiveBytesPerSecond = 0 }, Client.Options());

        Assert.Equal(AdminCode.AdminOk, altered.Status.Code);
        Assert.Single(await poll);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData((1L << 40) + 1)]
    public async Task A_rate_outside_its_range_is_refused_with_the_field_and_the_bound(long rate)
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();

        var topicAnswer = await Client.Admin.AlterTopicAsync(
            new AlterTopicRequest { Name = topic, ProduceBytesPerSecond = rate }, Client.Options());
        var groupAnswer = await Client.Admin.AlterGroupAsync(
            new AlterGroupRequest { Name = group, ReceiveMessagesPerSecond = rate }, Client.Options());

        Assert.Equal(AdminCode.AdminInvalidArgument, topicAnswer.Status.Code);
        Assert.Contains("'produce_bytes_per_second'", topicAnswer.Status.Message, StringComparison.Ordinal);
        Assert.Contains("1 to 1099511627776", topicAnswer.Status.Message, StringComparison.Ordinal);
        Assert.Equal(AdminCode.AdminInvalidArgument, groupAnswer.Status.Code);
        Assert.Contains("'receive_messages_per_second'", groupAnswer.Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_is_limited_by_the_options_of_the_node_and_others_are_not()
    {
        await using var node = await TestNode.StartAsync(options => options with
        {
            Limits = options.Limits with { ClientMessagesPerSecond = 1 },
        });
        await node.Client.SendAsync([.. Enumerable.Range(0, 100).Select(_ => node.Client.Message("orders"))]);
        using var other = new TestClient(node.Server.ClientPort, "another");

        var refused = await node.Client.SendAsync(node.Client.Message("orders"));
        var stored = await other.SendAsync(other.Message("orders"));

        Assert.Equal(Code.TooManyRequests, refused.Status.Code);
        Assert.StartsWith("a client may send at most 1 messages per second", refused.Status.Message, StringComparison.Ordinal);
        Assert.Equal(Code.Ok, stored.Status.Code);
    }

    [Fact]
    public async Task A_refusal_that_a_follower_passes_on_is_the_leaders()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.LeaderAsync();
        var client = cluster.Client(await cluster.FollowerAsync());
        var topic = new Topic { Name = "orders", QueueCount = 1, ProduceMessagesPerSecond = 1 };
        await client.Admin.CreateTopicAsync(new CreateTopicRequest { Topic = topic }, client.Options());
        await client.SendAsync([.. Enumerable.Range(0, 100).Select(_ => client.Message("orders"))]);

        var response = await client.SendAsync(client.Message("orders"));

        Assert.Equal(Code.TooManyRequests, response.Status.Code);
        Assert.Matches("retry in [0-9]{5} ms$", response.Status.Message);
    }

    private async Task<string> LimitedTopicAsync()
    {
        var topic = new Topic { Name = SharedNode.NewName("limited"), QueueCount = 1, ProduceMessagesPerSecond = 1 };
        var response = await Client.Admin.CreateTopicAsync(new CreateTopicRequest { Topic = topic }, Client.Options());
        Assert.Equal(AdminCode.AdminOk, response.Status.Code);
        return topic.Name;
    }

    private async Task<string> LimitedGroupAsync(long bytesPerSecond)
    {
        var group = new Group { Name = SharedNode.NewName("limited"), ReceiveBytesPerSecond = bytesPerSecond };
        var response = await Client.Admin.CreateGroupAsync(new CreateGroupRequest { Group = group }, Client.Options());
        Assert.Equal(AdminCode.AdminOk, response.Status.Code);
        return group.Name;
    }
}
