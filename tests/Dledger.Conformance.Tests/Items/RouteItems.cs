using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Conformance.Tests.Items;

public sealed class RouteItems(SharedNode shared) : IClassFixture<SharedNode>
{
    [Theory]
    [InlineData("nobody-made-it", Code.TopicNotFound)]
    [InlineData("a b", Code.IllegalTopic)]
    [InlineData("", Code.IllegalTopic)]
    [InlineData(" ", Code.IllegalTopic)]
    public async Task Item_09_a_route_of_no_topic_has_its_code_and_no_queues(string topic, Code expected)
    {
        var response = await shared.Client.QueryRouteAsync(topic);

        Assert.Equal(expected, response.Status.Code);
        Assert.Empty(response.MessageQueues);
    }

    [Theory]
    [InlineData(MessageType.Normal)]
    [InlineData(MessageType.Fifo)]
    [InlineData(MessageType.Delay)]
    [InlineData(MessageType.Transaction)]
    public async Task Item_10_a_route_has_every_queue_once_and_the_same_order_each_time(MessageType type)
    {
        var topic = await shared.NewTopicAsync(5, type);

        var response = await shared.Client.QueryRouteAsync(topic);
        var again = await shared.Client.QueryRouteAsync(topic);

        Assert.Equal(Code.Ok, response.Status.Code);
        Assert.Equal([0, 1, 2, 3, 4], response.MessageQueues.Select(queue => queue.Id));
        Assert.All(response.MessageQueues, queue =>
        {
            Assert.Equal(topic, queue.Topic.Name);
            Assert.Equal(Permission.ReadWrite, queue.Permission);
            Assert.Equal([type], queue.AcceptMessageTypes);
            Assert.Equal(0, queue.Broker.Id);
            Assert.NotEmpty(queue.Broker.Name);
            Assert.NotEqual(AddressScheme.Unspecified, queue.Broker.Endpoints.Scheme);
            Assert.NotEmpty(queue.Broker.Endpoints.Addresses);
        });
        Assert.Equal(response, again);
    }

    [Fact]
    public async Task Item_10_the_namespace_of_a_topic_is_echoed()
    {
        var name = Unique.Name("spaced");
        await shared.Client.Admin.CreateTopicAsync(
            new CreateTopicRequest { Topic = new Topic { Name = $"shop%{name}", QueueCount = 2 } }, shared.Client.Options());
        var inside = new Resource { ResourceNamespace = "shop", Name = name };

        var response = await shared.Client.Messaging.QueryRouteAsync(
            new QueryRouteRequest { Topic = inside, Endpoints = shared.Client.AccessPoint() }, shared.Client.Options());

        Assert.Equal(2, response.MessageQueues.Count);
        Assert.All(response.MessageQueues, queue => Assert.Equal(inside, queue.Topic));
    }
}

/// <summary>What needs three nodes.</summary>
public sealed class ClusterRouteItems(SharedNodes shared) : IClassFixture<SharedNodes>
{
    [Fact]
    public async Task Item_11_the_route_follows_the_leader_under_the_same_broker_name()
    {
        var former = await shared.LeaderAsync();
        var topic = await Administration.NewTopicAsync(former, 2);
        var before = await former.QueryRouteAsync(topic);

        var moved = await former.Admin.TransferLeadershipAsync(new TransferLeadershipRequest(), former.Options());
        Assert.True(moved.Status.Code == AdminCode.AdminOk, $"{moved.Status}");
        await Eventually.TrueAsync("the route names another leader", TimeSpan.FromSeconds(30), async () =>
            FirstPort(await former.QueryRouteAsync(topic)) is var port && port != 0 && port != FirstPort(before));
        var leader = await Eventually.FindAsync("a leader", TimeSpan.FromSeconds(30), shared.Cluster.FindLeaderAsync);
        var after = await former.QueryRouteAsync(topic);

        Assert.Equal(leader.ClientPort, FirstPort(after));
        Assert.Equal(
            before.MessageQueues.Select(queue => (queue.Id, queue.Broker.Name)),
            after.MessageQueues.Select(queue => (queue.Id, queue.Broker.Name)));
    }

    [Fact]
    public async Task Item_12_a_follower_serves_every_call()
    {
        var client = await shared.FollowerAsync();
        var topic = await Administration.NewTopicAsync(client);
        var group = await Administration.NewGroupAsync(client);

        using var stream = new TelemetryStream(client);
        await stream.SendAsync(stream.PushConsumer(group, topic));
        var settings = await stream.NextAsync();
        var route = await client.QueryRouteAsync(topic);
        var assigned = await client.AssignmentAsync(topic, group);
        var sent = await client.SendAsync(client.Message(topic, "1"), client.Message(topic, "2"), client.Message(topic, "3"));
        var received = await client.ReceiveAsync(topic, group);
        var acked = await client.AckAsync(topic, group, received[0].SystemProperties.ReceiptHandle);
        var changed = await client.ChangeAsync(
            topic, group, received[1].SystemProperties.ReceiptHandle, TimeSpan.FromMinutes(1));
        var forwarded = await client.ForwardAsync(topic, group, received[2].SystemProperties.ReceiptHandle);
        var beat = await client.HeartbeatAsync(group);
        var parted = await client.Messaging.NotifyClientTerminationAsync(new(), client.Options());

        Assert.Equal(Code.Ok, settings.Status.Code);
        Assert.Equal(Code.Ok, route.Status.Code);
        Assert.Equal(Code.Ok, assigned.Status.Code);
        Assert.Equal(Code.Ok, sent.Status.Code);
        Assert.Equal(["1", "2", "3"], received.Select(message => message.Body()));
        Assert.Equal(Code.Ok, acked.Status.Code);
        Assert.Equal(Code.Ok, changed.Status.Code);
        Assert.Equal(Code.Ok, forwarded.Status.Code);
        Assert.Equal(Code.Ok, beat.Status.Code);
        Assert.Equal(Code.Ok, parted.Status.Code);
    }

    private static int FirstPort(QueryRouteResponse route) =>
        route.MessageQueues is [var first, ..] ? first.Broker.Endpoints.Addresses[0].Port : 0;
}
