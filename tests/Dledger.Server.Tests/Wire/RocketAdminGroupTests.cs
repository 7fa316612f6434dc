using Apache.Rocketmq.V2;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

/// <summary>RocketMQ's administration: groups, their clients and how far they are.</summary>
public sealed class RocketAdminGroupTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private Admin.AdminClient Admin => shared.Client.RocketAdmin;

    [Fact]
    public async Task A_subscription_shows_the_filter_of_its_members()
    {
        var (topic, group) = await PrepareAsync();
        await shared.Client.ReceiveAsync(topic, group, Asking("b || a"));

        var byGroup = await Admin.ListSubscriptionAsync(new() { Group = Resource(group) }, Options());
        var byTopic = await Admin.ListSubscriptionAsync(new() { Topic = Resource(topic) }, Options());

        var subscription = Assert.Single(byGroup.SubscriptionInfo);
        Assert.Equal(subscription, Assert.Single(byTopic.SubscriptionInfo));
        Assert.Equal(group, subscription.Group.Name);
        Assert.Equal(topic, subscription.Topic.Name);
        Assert.Equal(new FilterExpression { Type = FilterType.Tag, Expression = "a || b" }, subscription.Expression);
        Assert.True(subscription.Online);
        Assert.True(subscription.SubscriptionConsistency);
        Assert.Equal(MessageModel.Clustering, subscription.MessageModel);
        Assert.Null(subscription.LastUpdateTimestamp);
    }

    [Fact]
    public async Task Members_that_filter_differently_show_as_inconsistent()
    {
        var (topic, group) = await PrepareAsync();
        using var other = new TestClient(shared.Client.Port, "other-client");
        await shared.Client.ReceiveAsync(topic, group, Asking("a"));
        await other.ReceiveAsync(topic, group, request =>
        {
            Asking("color = 'red'")(request);
            request.FilterExpression.Type = FilterType.Sql;
        });

        var listed = await Admin.ListSubscriptionAsync(new() { Group = Resource(group), Topic = Resource(topic) }, Options());
        var described = await Admin.DescribeSubscriptionAsync(new() { Group = Resource(group) }, Options());

        Assert.Equal(2, listed.SubscriptionInfo.Count);
        Assert.All(listed.SubscriptionInfo, subscription => Assert.False(subscription.SubscriptionConsistency));
        var ofOther = Assert.Single(
            described.ClientSubscriptionInfo, client => client.ClientInfo.ClientId == "other-client").SubscriptionInfo;
        Assert.Equal(FilterType.Sql, ofOther.Expression.Type);
        Assert.Equal("color = 'red'", ofOther.Expression.Expression);
    }

    [Fact]
    public async Task A_group_without_members_is_offline_and_has_no_filter()
    {
        var (topic, group) = await PrepareAsync();
        using var leaver = new TestClient(shared.Client.Port, $"leaver-of-{group}");
        await shared.Client.SendAsync(shared.Client.Message(topic));
        await leaver.ReceiveAsync(topic, group);
        await leaver.Messaging.NotifyClientTerminationAsync(new() { Group = Resource(group) }, leaver.Options());

        var listed = await Admin.ListSubscriptionAsync(new() { Group = Resource(group) }, Options());

        var subscription = Assert.Single(listed.SubscriptionInfo);
        Assert.False(subscription.Online);
        Assert.Null(subscription.Expression);
    }

    [Fact]
    public async Task A_connection_shows_what_the_client_says_of_itself()
    {
        var (topic, group) = await PrepareAsync();
        using var client = new TestClient(shared.Client.Port, $"client-of-{group}");
        using var stream = await RocketAdminStream.OpenAsync(client, group, topic, _ => []);

        var listed = await Admin.ListConsumerConnectionAsync(
            new() { Group = Resource(group), Topic = Resource(topic) }, Options());
        var elsewhere = await Admin.ListConsumerConnectionAsync(
            new() { Group = Resource(group), Topic = Resource(await shared.NewTopicAsync()) }, Options());

        Assert.Equal(Code.Ok, listed.Status.Code);
        Assert.Equal(
            new ClientInfo
            {
                ClientId = client.ClientId,
                Version = "5.1.2",
                Language = "GOLANG",
                Hostname = "host7",
                EgressIp = "127.0.0.1",
                MessageModel = MessageModel.Clustering,
            },
            Assert.Single(listed.ClientInfo));
        Assert.Empty(elsewhere.ClientInfo);
    }

    [Fact]
    public async Task A_client_that_asks_without_a_stream_is_a_connection_of_which_the_id_is_known()
    {
        var (topic, group) = await PrepareAsync();
        await shared.Client.ReceiveAsync(topic, group, Asking("*"));

        var listed = await Admin.ListConsumerConnectionAsync(new() { Group = Resource(group) }, Options());

        var client = Assert.Single(listed.ClientInfo);
        Assert.Equal(shared.Client.ClientId, client.ClientId);
        Assert.Equal("", client.Version);
    }

    [Fact]
    public async Task The_running_consumer_is_what_it_told_and_asks_with()
    {
        var (topic, group) = await PrepareAsync();
        using var client = new TestClient(shared.Client.Port, $"client-of-{group}");
        using var stream = await RocketAdminStream.OpenAsync(client, group, topic, _ => []);

        var told = await Admin.GetConsumerRunningInfoAsync(
            new() { Group = Resource(group), ClientId = client.ClientId }, Options());
        await client.ReceiveAsync(topic, group, Asking("c"));
        var asked = await Admin.GetConsumerRunningInfoAsync(
            new() { Group = Resource(group), ClientId = client.ClientId }, Options());

        Assert.Equal("z1", told.ConsumerRunningInfo.Properties["zone"]);
        Assert.Equal("PUSH_CONSUMER", told.ConsumerRunningInfo.Properties["client_type"]);
        Assert.Equal("a", told.ConsumerRunningInfo.Subscriptions[topic].Expression);
        Assert.Equal("c", asked.ConsumerRunningInfo.Subscriptions[topic].Expression);
        Assert.Empty(told.ConsumerRunningInfo.MessageQueueTable);
        Assert.Empty(told.ConsumerRunningInfo.ConsumeStatusTable);
    }

    [Fact]
    public async Task An_unknown_consumer_is_not_found()
    {
        var (_, group) = await PrepareAsync();

        var response = await Admin.GetConsumerRunningInfoAsync(
            new() { Group = Resource(group), ClientId = "nobody\n" }, Options());

        Assert.Equal(Code.NotFound, response.Status.Code);
        Assert.Contains("'nobody?'", response.Status.Message, StringComparison.Ordinal);
        Assert.Null(response.ConsumerRunningInfo);
    }

    [Fact]
    public async Task The_accumulation_counts_what_is_in_flight_and_what_is_ready()
    {
        var (topic, group) = await PrepareAsync();
        var unread = await shared.NewTopicAsync();
        await shared.Client.SendAsync([.. Enumerable.Range(0, 5).Select(_ => shared.Client.Message(topic))]);
        var received = await shared.Client.ReceiveAsync(topic, group, request => request.BatchSize = 3);
        await shared.Client.AckAsync(topic, group, received[0].SystemProperties.ReceiptHandle);

        var response = await Admin.DescribeGroupAccumulationAsync(
            new() { Group = Resource(group), Topics = { Resource(topic), Resource(unread) } }, Options());

        Assert.Equal(Code.Ok, response.Status.Code);
        Assert.Contains(unread, response.Status.Message, StringComparison.Ordinal);
        Assert.Equal((2L, 2L, 4L), (
            response.Accumulation.InflightMessages, response.Accumulation.ReadyMessages, response.Accumulation.Accumulation));
        Assert.Equal([topic], response.TopicAccumulation.Keys);
        Assert.Equal(4, response.TopicAccumulation[topic].Accumulation);
        Assert.True(response.Accumulation.DeliverDelayTime.ToTimeSpan() > TimeSpan.Zero);
    }

    [Fact]
    public async Task A_group_that_has_all_has_no_delay()
    {
        var (topic, group) = await PrepareAsync();
        await shared.Client.SendAsync(shared.Client.Message(topic));
        var received = await shared.Client.ReceiveAsync(topic, group);
        await shared.Client.AckAsync(topic, group, received[0].SystemProperties.ReceiptHandle);

        var accumulation = await Admin.DescribeGroupAccumulationAsync(new() { Group = Resource(group) }, Options());
        var span = await Admin.QueryTimeSpanAsync(new() { Group = Resource(group) }, Options());

        Assert.Equal(0, accumulation.Accumulation.Accumulation);
        Assert.Null(accumulation.Accumulation.DeliverDelayTime);
        Assert.Empty(accumulation.TopicAccumulation);
        Assert.Equal(0, Assert.Single(span.QueueTimeSpanList).DelayTimeMs);
    }

    [Fact]
    public async Task The_time_span_of_a_queue_is_that_of_its_messages_and_of_the_last_finished_one()
    {
        var (topic, group) = await PrepareAsync();
        for (var i = 0; i < 3; i++)
        {
            await shared.Client.SendAsync(shared.Client.Message(topic));
        }

        var received = await shared.Client.ReceiveAsync(topic, group);
        await shared.Client.AckAsync(topic, group, received[0].SystemProperties.ReceiptHandle);
        await shared.Client.AckAsync(topic, group, received[1].SystemProperties.ReceiptHandle);

        var response = await Admin.QueryTimeSpanAsync(
            new() { Group = Resource(group), Topics = { Resource(topic) } }, Options());

        var span = Assert.Single(response.QueueTimeSpanList);
        Assert.Equal(topic, span.MessageQueue.Topic.Name);
        Assert.Equal(0, span.MessageQueue.Id);
        Assert.Equal(
            received.Select(Milliseconds),
            [span.MinTimestamp, span.ConsumeTimestamp, span.MaxTimestamp]);
        Assert.True(span.DelayTimeMs >= 0);
    }

    [Fact]
    public async Task A_reset_makes_a_group_read_again_from_a_time()
    {
        var (topic, group) = await PrepareAsync();
        await shared.Client.SendAsync(shared.Client.Message(topic, "1"));
        await shared.Client.SendAsync(shared.Client.Message(topic, "2"));
        var received = await shared.Client.ReceiveAsync(topic, group, request => request.BatchSize = 2);
        await shared.Client.AckAsync(topic, group, [.. received.Select(message => message.SystemProperties.ReceiptHandle)]);

        var reset = await Admin.ResetGroupOffsetAsync(
            new()
            {
                Group = Resource(group),
                Topic = Resource(topic),
                ResetTimestamp = received[1].SystemProperties.StoreTimestamp,
            },
            Options());
        var again = await shared.Client.ReceiveAsync(topic, group);

        Assert.Equal(Code.Ok, reset.Status.Code);
        Assert.Equal(["2"], again.Select(message => message.Body.ToStringUtf8()));
    }

    [Fact]
    public async Task A_broadcast_group_shows_as_one_group_with_its_clients()
    {
        var (topic, group) = (await shared.NewTopicAsync(), SharedNode.NewName("broadcast"));
        var created = await shared.Client.Admin.CreateGroupAsync(
            new() { Group = new Dledger.Protocol.Admin.V1.Group { Name = group, Broadcast = true } }, Options());
        using var other = new TestClient(shared.Client.Port, $"other-of-{group}");
        foreach (var client in new[] { shared.Client, other })
        {
            await client.ReceiveAsync(topic, group, Asking("*"));
        }

        await shared.Client.SendAsync(shared.Client.Message(topic));
        var received = await shared.Client.ReceiveAsync(topic, group);
        await shared.Client.AckAsync(topic, group, received[0].SystemProperties.ReceiptHandle);
        await other.ReceiveAsync(topic, group);

        var listed = await Admin.ListSubscriptionAsync(new() { Topic = Resource(topic) }, Options());
        var connections = await Admin.ListConsumerConnectionAsync(new() { Group = Resource(group) }, Options());
        var accumulation = await Admin.DescribeGroupAccumulationAsync(new() { Group = Resource(group) }, Options());
        var span = await Admin.QueryTimeSpanAsync(new() { Group = Resource(group) }, Options());

        Assert.Equal(Dledger.Protocol.Admin.V1.AdminCode.AdminOk, created.Status.Code);
        var subscription = Assert.Single(listed.SubscriptionInfo);
        Assert.Equal((group, MessageModel.Broadcasting, true), (
            subscription.Group.Name, subscription.MessageModel, subscription.Online));
        Assert.Equal(2, connections.ClientInfo.Count);
        Assert.All(connections.ClientInfo, client => Assert.Equal(MessageModel.Broadcasting, client.MessageModel));
        Assert.Equal((1L, 0L), (accumulation.Accumulation.InflightMessages, accumulation.Accumulation.ReadyMessages));
        Assert.Equal(0, Assert.Single(span.QueueTimeSpanList).ConsumeTimestamp);
    }

    private static long Milliseconds(Message message) =>
        message.SystemProperties.StoreTimestamp.ToDateTimeOffset().ToUnixTimeMilliseconds();

    private static Resource Resource(string name) => TestClient.Resource(name);

    private static Action<ReceiveMessageRequest> Asking(string expression) => request =>
    {
        request.FilterExpression.Expression = expression;
        request.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(100));
    };

    private Grpc.Core.CallOptions Options() => shared.Client.Options();

    private async Task<(string Topic, string Group)> PrepareAsync() =>
        (await shared.NewTopicAsync(), await shared.NewGroupAsync());
}
