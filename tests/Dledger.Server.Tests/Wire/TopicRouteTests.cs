using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Grpc.Net.Client;
using MessageType = Apache.Rocketmq.V2.MessageType;

namespace Dledger.Server.Tests.Wire;

public sealed class TopicRouteTests
{
    [Fact]
    public async Task A_message_reaches_the_consumers_of_its_topic_and_of_the_topic_that_a_rule_names()
    {
        await using var node = await TestNode.StartAsync();
        var client = node.Client;
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{client.Port}");
        var routes = new TopicRouteService.TopicRouteServiceClient(channel);
        await CreateAsync(client, "orders");
        await CreateAsync(client, "audit");

        var added = await routes.AddTopicRouteAsync(Add("orders", "audit", FilterType.Sql, "price > 10"), client.Options());
        var dear = client.Message("orders", "dear", message => message.UserProperties["price"] = "20");
        var cheap = client.Message("orders", "cheap", message => message.UserProperties["price"] = "5");
        var sent = await client.SendAsync(dear, cheap);
        var routed = Assert.Single(await client.ReceiveAsync("audit", "auditors"));
        var own = await client.ReceiveAsync("orders", "billing");
        var acked = await client.AckAsync("audit", "auditors", routed.SystemProperties.ReceiptHandle);

        Assert.Equal((AdminCode.AdminOk, "audit"), (added.Status.Code, added.Route.Name));
        Assert.Equal(Code.Ok, sent.Status.Code);
        Assert.Equal(2, own.Count);
        Assert.Equal(
            ("audit", dear.SystemProperties.MessageId, "dear", "20"),
            (routed.Topic.Name, routed.SystemProperties.MessageId, routed.Body.ToStringUtf8(), routed.UserProperties["price"]));
        Assert.Equal(Code.Ok, acked.Status.Code);
    }

    [Theory]
    [InlineData("orders", "orders", "", FilterType.Tag, "*", AdminCode.AdminInvalidArgument, "own route")]
    [InlineData("orders", "nowhere", "", FilterType.Tag, "*", AdminCode.AdminNotFound, "nowhere")]
    [InlineData("nowhere", "audit", "", FilterType.Tag, "*", AdminCode.AdminNotFound, "nowhere")]
    [InlineData("orders", "audit", "a b", FilterType.Tag, "*", AdminCode.AdminInvalidArgument, "1 to 127")]
    [InlineData("orders", "audit", "", FilterType.Sql, "price >", AdminCode.AdminInvalidArgument, "SQL")]
    [InlineData("orders", "audit", "", (FilterType)7, "*", AdminCode.AdminInvalidArgument, "filter type 7")]
    [InlineData("orders", "ordered", "", FilterType.Tag, "*", AdminCode.AdminInvalidArgument, "accepts Fifo")]
    [InlineData("", "audit", "", FilterType.Tag, "*", AdminCode.AdminInvalidArgument, "empty")]
    public async Task A_rule_that_cannot_be_is_refused_with_the_field_and_the_bound(
        string source, string target, string name, FilterType type, string expression, AdminCode expected, string detail)
    {
        await using var node = await TestNode.StartAsync();
        var client = node.Client;
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{client.Port}");
        var routes = new TopicRouteService.TopicRouteServiceClient(channel);
        await CreateAsync(client, "orders");
        await CreateAsync(client, "audit");
        await CreateAsync(client, "ordered", MessageType.Fifo);
        var request = Add(source, target, type, expression);
        request.Route.Name = name;

        var refused = await routes.AddTopicRouteAsync(request, client.Options());
        var listed = await routes.ListTopicRoutesAsync(new ListTopicRoutesRequest(), client.Options());

        Assert.Equal(expected, refused.Status.Code);
        Assert.Contains(detail, refused.Status.Message, StringComparison.Ordinal);
        Assert.Empty(listed.Routes);
    }

    private static AddTopicRouteRequest Add(string source, string target, FilterType type, string expression) => new()
    {
        Route = new TopicRoute
        {
            Topic = source,
            Target = target,
            Filter = new FilterExpression { Type = type, Expression = expression },
        },
    };

    private static async Task CreateAsync(TestClient client, string name, MessageType type = MessageType.Normal)
    {
        var created = await client.Admin.CreateTopicAsync(
            new CreateTopicRequest { Topic = new Topic { Name = name, QueueCount = 2, AcceptMessageTypes = { type } } },
            client.Options());
        Assert.Equal(AdminCode.AdminOk, created.Status.Code);
    }
}
