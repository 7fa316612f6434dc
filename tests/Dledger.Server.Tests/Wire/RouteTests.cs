using Apache.Rocketmq.V2;

namespace Dledger.Server.Tests.Wire;

public sealed class RouteTests(SharedNode shared) : IClassFixture<SharedNode>
{
    [Fact]
    public async Task A_route_lists_every_queue_of_the_leader_from_zero_on_with_all_that_clients_need()
    {
        var topic = await shared.NewTopicAsync(5, MessageType.Normal, MessageType.Fifo);

        var response = await shared.Client.QueryRouteAsync(topic);
        var again = await shared.Client.QueryRouteAsync(topic);

        Assert.Equal(Code.Ok, response.Status.Code);
        Assert.Equal([0, 1, 2, 3, 4], response.MessageQueues.Select(queue => queue.Id));
        Assert.All(response.MessageQueues, queue =>
        {
            Assert.Equal(topic, queue.Topic.Name);
            Assert.Equal(Permission.ReadWrite, queue.Permission);
            Assert.Equal([MessageType.Normal, MessageType.Fifo], queue.AcceptMessageTypes);
            Assert.Equal(0, queue.Broker.Id);
            Assert.Equal("dledger-0", queue.Broker.Name);
            Assert.Equal(AddressScheme.Ipv4, queue.Broker.Endpoints.Scheme);
            var address = Assert.Single(queue.Broker.Endpoints.Addresses);
            Assert.Equal(("127.0.0.1", shared.Client.Port), (address.Host, address.Port));
        });
        Assert.Equal(response, again);
    }

    [Theory]
    [InlineData("", Code.IllegalTopic)]
    [InlineData(" ", Code.IllegalTopic)]
    [InlineData("a b", Code.IllegalTopic)]
    [InlineData("SELF_TEST_TOPIC", Code.IllegalTopic)]
    public async Task A_route_for_an_illegal_name_is_refused_without_queues(string topic, Code expected)
    {
        var response = await shared.Client.QueryRouteAsync(topic);

        Assert.Equal(expected, response.Status.Code);
        Assert.Empty(response.MessageQueues);
    }

    [Fact]
    public async Task Without_creation_on_use_an_unknown_topic_is_not_found()
    {
        await using var node = await TestNode.StartAsync(options => options with { Topics = new() });

        var route = await node.Client.QueryRouteAsync("unknown");
        var sent = await node.Client.SendAsync(node.Client.Message("unknown"));
        var frames = await node.Client.ReceiveFramesAsync(node.Client.ReceiveRequest("unknown", "group"));

        Assert.Equal(Code.TopicNotFound, route.Status.Code);
        Assert.Empty(route.MessageQueues);
        Assert.Equal(Code.TopicNotFound, sent.Status.Code);
        Assert.Contains(Assert.Single(frames).Status.Code, new[] { Code.TopicNotFound, Code.ConsumerGroupNotFound });
    }

    [Fact]
    public async Task With_creation_on_use_a_route_query_makes_the_topic()
    {
        var topic = SharedNode.NewName("fresh");

        var response = await shared.Client.QueryRouteAsync(topic);

        Assert.Equal(Code.Ok, response.Status.Code);
        Assert.Equal(4, response.MessageQueues.Count);
        Assert.NotEmpty(response.MessageQueues[0].AcceptMessageTypes);
    }

    [Fact]
    public async Task Endpoints_without_an_address_are_an_illegal_access_point()
    {
        var topic = await shared.NewTopicAsync();

        var none = await shared.Client.Messaging.QueryRouteAsync(
            new QueryRouteRequest { Topic = TestClient.Resource(topic) }, shared.Client.Options());
        var empty = await shared.Client.Messaging.QueryAssignmentAsync(
            new QueryAssignmentRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource("g"),
                Endpoints = new Endpoints(),
            },
            shared.Client.Options());

        Assert.Equal(Code.IllegalAccessPoint, none.Status.Code);
        Assert.Equal(Code.IllegalAccessPoint, empty.Status.Code);
    }

    [Theory]
    [InlineData(false, new[] { -1 })]
    [InlineData(true, new[] { 0, 1, 2 })]
    public async Task An_assignment_is_all_queues_at_once_or_each_queue_for_an_ordered_group(bool fifo, int[] expected)
    {
        var topic = await shared.NewTopicAsync(3);
        var group = await shared.NewGroupAsync(fifo);

        var response = await shared.Client.Messaging.QueryAssignmentAsync(
            new QueryAssignmentRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                Endpoints = shared.Client.AccessPoint(),
            },
            shared.Client.Options());

        Assert.Equal(Code.Ok, response.Status.Code);
        Assert.Equal(expected, response.Assignments.Select(assignment => assignment.MessageQueue.Id));
        Assert.All(response.Assignments, assignment =>
        {
            Assert.Equal(topic, assignment.MessageQueue.Topic.Name);
            Assert.Equal(Permission.ReadWrite, assignment.MessageQueue.Permission);
            Assert.Equal("dledger-0", assignment.MessageQueue.Broker.Name);
            Assert.NotEmpty(assignment.MessageQueue.Broker.Endpoints.Addresses);
        });
    }

    [Fact]
    public async Task Namespaces_keep_equal_names_apart_and_come_back_on_delivery()
    {
        var client = shared.Client;
        var topic = SharedNode.NewName("spaced");
        var inside = new Resource { ResourceNamespace = "shop", Name = topic };
        var message = client.Message(topic, "inside", m => m.Topic = inside);

        var route = await client.Messaging.QueryRouteAsync(
            new QueryRouteRequest { Topic = inside, Endpoints = client.AccessPoint() }, client.Options());
        await client.SendAsync(message);
        await client.SendAsync(client.Message(topic, "outside"));
        var received = Assert.Single(await client.ReceiveAsync(topic, "spaced", request =>
        {
            request.MessageQueue.Topic = inside;
            request.Group = new Resource { ResourceNamespace = "shop", Name = "spaced" };
        }));

        Assert.All(route.MessageQueues, queue => Assert.Equal(inside, queue.Topic));
        Assert.Equal("inside", received.Body.ToStringUtf8());
        Assert.Equal(inside, received.Topic);
    }
}
