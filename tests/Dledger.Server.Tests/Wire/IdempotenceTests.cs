using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Dledger.Protocol.Producer.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Net.Client;

namespace Dledger.Server.Tests.Wire;

public sealed class IdempotenceTests
{
    [Fact]
    public async Task A_topic_with_a_window_stores_a_message_id_once_and_says_so_in_its_description()
    {
        await using var node = await TestNode.StartAsync();
        var client = node.Client;
        var created = await client.Admin.CreateTopicAsync(
            new CreateTopicRequest
            {
                Topic = new Topic { Name = "orders", QueueCount = 1, IdWindowTime = Duration.FromTimeSpan(TimeSpan.FromMinutes(2)) },
            },
            client.Options());
        var message = client.Message("orders", "hello");

        var first = await client.SendAsync(message);
        var other = await client.SendAsync(client.Message("orders", "other"));
        var repeat = await client.SendAsync(message);

        Assert.Equal((120, 100_000), (created.Topic.IdWindowTime.Seconds, created.Topic.IdWindowCount));
        Assert.Equal([0L, 1, 0], new[] { first, other, repeat }.Select(response => Assert.Single(response.Entries).Offset));
        Assert.Equal(Code.Ok, repeat.Status.Code);
        Assert.Equal(2, (await client.ReceiveAsync("orders", "billing")).Count);
    }

    [Theory]
    [InlineData(86_401, 0)]
    [InlineData(60, 1_000_001)]
    [InlineData(60, -1)]
    public async Task A_window_outside_the_bounds_is_refused(long seconds, long count)
    {
        await using var node = await TestNode.StartAsync();
        var client = node.Client;

        var response = await client.Admin.CreateTopicAsync(
            new CreateTopicRequest
            {
                Topic = new Topic { Name = "orders", IdWindowTime = new Duration { Seconds = seconds }, IdWindowCount = count },
            },
            client.Options());

        Assert.Equal(AdminCode.AdminInvalidArgument, response.Status.Code);
        Assert.Contains("window", response.Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repeated_number_is_stored_once_a_gap_and_a_fenced_producer_are_refused()
    {
        await using var node = await TestNode.StartAsync();
        var client = node.Client;
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{client.Port}");
        var producers = new ProducerService.ProducerServiceClient(channel);
        var init = new InitProducerRequest { Name = "orders" };
        var producer = await producers.InitProducerAsync(init, client.Options());

        var first = await SendAsync(client, producer, "1");
        var repeat = await SendAsync(client, producer, "1");
        var gap = await SendAsync(client, producer, "3");
        await producers.InitProducerAsync(init, client.Options());
        var fenced = await SendAsync(client, producer, "2");
        var unknown = await SendAsync(client, new InitProducerResponse { ProducerId = 5 }, "1");
        var garbled = await SendAsync(client, producer, "x");
        var listed = await producers.ListProducersAsync(new ListProducersRequest(), client.Options());

        Assert.Equal(AdminCode.AdminOk, producer.Status.Code);
        Assert.Equal((Code.Ok, Code.Ok), (first.Status.Code, repeat.Status.Code));
        Assert.Equal(Assert.Single(first.Entries).Offset, Assert.Single(repeat.Entries).Offset);
        Assert.Equal(
            [Code.PreconditionFailed, Code.Forbidden, Code.NotFound, Code.BadRequest],
            new[] { gap, fenced, unknown, garbled }.Select(response => response.Status.Code));
        Assert.Single(await client.ReceiveAsync("orders", "billing"));
        Assert.Equal(("orders", 1), (Assert.Single(listed.Producers).Name, listed.Producers[0].Epoch));
    }

    private static async Task<SendMessageResponse> SendAsync(TestClient client, InitProducerResponse producer, string number)
    {
        var options = client.Options();
        options.Headers!.Add("x-dledger-producer-id", $"{producer.ProducerId}");
        options.Headers.Add("x-dledger-producer-epoch", $"{producer.Epoch}");
        options.Headers.Add("x-dledger-sequence", number);
        var request = new SendMessageRequest();
        request.Messages.Add(client.Message("orders", "body"));
        return await client.Messaging.SendMessageAsync(request, options);
    }
}
