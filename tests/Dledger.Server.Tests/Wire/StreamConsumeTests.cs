using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Client.Producing;
using Dledger.Client.Streaming;
using Dledger.Protocol.Stream.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dledger.Server.Tests.Wire;

/// <summary>Deliveries over one stream, through our own client and through a bare one.</summary>
public sealed class StreamConsumeTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_message_comes_with_all_that_its_producer_set_and_is_finished_by_its_ack()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Normal, MessageType.Fifo);
        var group = await shared.NewGroupAsync();
        await using var channel = Channel();
        await using var producer = new StreamProducer(channel);
        await producer.SendAsync(new OutgoingMessage(topic, "body"u8.ToArray())
        {
            MessageId = "id-1",
            Tag = "t",
            Keys = ["k1", "k2"],
            Properties = new Dictionary<string, string> { ["a"] = "b" },
            MessageGroup = "g",
        });

        await using (var consumer = new StreamConsumer(channel, group, topic))
        {
            var delivery = await consumer.ReceiveAsync().WaitAsync(Patience);
            var message = Assert.Single(delivery);
            Assert.Equal(("body", "id-1", "t", "g"), (Text(message), message.MessageId, message.Tag, message.MessageGroup));
            Assert.Equal(["k1", "k2"], message.Keys);
            Assert.Equal(new Dictionary<string, string> { ["a"] = "b" }, message.Properties);
            Assert.Equal((0, 0, 1), (message.QueueId, message.Offset, message.Attempt));
            Assert.InRange(message.StoreTime, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5));
            await consumer.AckAsync(delivery);
        }

        Assert.Empty(await shared.Client.ReceiveAsync(topic, group, request => request.LongPollingTimeout = new() { Nanos = 1_000_000 }));
    }

    [Fact]
    public async Task Many_messages_come_in_the_order_of_their_queue_and_in_batches()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        await using var channel = Channel();
        await using var producer = new StreamProducer(channel);
        for (var batch = 0; batch < 20; batch++)
        {
            await producer.SendAsync([.. Enumerable.Range(batch * 100, 100).Select(number => new OutgoingMessage(topic, Bytes($"{number}")))]);
        }

        await using var consumer = new StreamConsumer(channel, group, topic, new StreamConsumerOptions { BufferBytesMax = 64 << 10 });
        var bodies = new List<string>();
        var largest = 0;
        while (bodies.Count < 2_000)
        {
            var delivery = await consumer.ReceiveAsync().WaitAsync(Patience);
            bodies.AddRange(delivery.Select(message => Text(message)));
            largest = Math.Max(largest, delivery.Count);
            await consumer.AckAsync(delivery);
        }

        Assert.Equal(Enumerable.Range(0, 2_000).Select(number => $"{number}"), bodies);
        Assert.InRange(largest, 33, 256);
    }

    [Fact]
    public async Task A_message_that_is_given_back_comes_again_as_its_second_attempt()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        await using var channel = Channel();
        await using var producer = new StreamProducer(channel);
        await producer.SendAsync([new OutgoingMessage(topic, Bytes("a")), new OutgoingMessage(topic, Bytes("b"))]);
        await using var consumer = new StreamConsumer(channel, group, topic);

        var first = await consumer.ReceiveAsync().WaitAsync(Patience);
        await consumer.RenewAsync(first, TimeSpan.FromMinutes(1));
        await consumer.RetryAsync(first, first[1], TimeSpan.Zero);
        await consumer.AckAsync(first, first[0]);
        var second = await consumer.ReceiveAsync().WaitAsync(Patience);

        Assert.Equal(["a", "b"], first.Select(message => Text(message)));
        Assert.Equal(("b", 2), (Text(Assert.Single(second)), second[0].Attempt));
        await consumer.AckAsync(second);
        var stale = await Assert.ThrowsAsync<RequestRefusedException>(() => consumer.RetryAsync(first, first[1], TimeSpan.Zero));
        Assert.Equal(nameof(Code.InvalidReceiptHandle), stale.Code);
    }

    [Fact]
    public async Task Only_what_a_filter_wants_is_delivered()
    {
        var topic = await shared.NewTopicAsync();
        await using var channel = Channel();
        await using var producer = new StreamProducer(channel);
        await producer.SendAsync(
        [
            new OutgoingMessage(topic, Bytes("a")) { Tag = "x", Properties = new Dictionary<string, string> { ["n"] = "1" } },
            new OutgoingMessage(topic, Bytes("b")) { Tag = "y", Properties = new Dictionary<string, string> { ["n"] = "2" } },
            new OutgoingMessage(topic, Bytes("c")) { Tag = "x", Properties = new Dictionary<string, string> { ["n"] = "3" } },
        ]);
        var tags = new StreamConsumerOptions { Filter = "x" };
        var sql = new StreamConsumerOptions { Filter = "n >= 2", IsSql = true };
        await using var tagged = new StreamConsumer(channel, await shared.NewGroupAsync(), topic, tags);
        await using var selected = new StreamConsumer(channel, await shared.NewGroupAsync(), topic, sql);
        await using var reader = new QueueReader(channel, topic, 0, 0, sql);

        Assert.Equal(["a", "c"], (await tagged.ReceiveAsync().WaitAsync(Patience)).Select(message => Text(message)));
        Assert.Equal(["b", "c"], (await selected.ReceiveAsync().WaitAsync(Patience)).Select(message => Text(message)));
        var read = await reader.ReadAsync().WaitAsync(Patience);
        Assert.Equal(["b", "c"], read.Select(message => Text(message)));
        Assert.Equal((3, 3), (read.NextOffset, read.EndOffset));
    }

    [Fact]
    public async Task A_queue_is_read_from_an_offset_on_and_what_comes_later_follows()
    {
        var topic = await shared.NewTopicAsync();
        await using var channel = Channel();
        await using var producer = new StreamProducer(channel);
        await producer.SendAsync([.. Enumerable.Range(0, 10).Select(number => new OutgoingMessage(topic, Bytes($"{number}")))]);
        await using var reader = new QueueReader(channel, topic, 0, offset: 7);

        var first = await reader.ReadAsync().WaitAsync(Patience);
        var next = reader.ReadAsync();
        await producer.SendAsync(new OutgoingMessage(topic, Bytes("10")));

        Assert.Equal(["7", "8", "9"], first.Select(message => Text(message)));
        Assert.Equal(["10"], (await next.WaitAsync(Patience)).Select(message => Text(message)));
        Assert.Equal(11, reader.NextOffset);
    }

    [Fact]
    public async Task A_stream_over_which_nothing_comes_any_more_is_given_up_for_another_one()
    {
        var topic = await shared.NewTopicAsync();
        await using var link = new SilentLink(shared.Client.Port);
        await using var channel = new DledgerChannel(new DledgerChannelOptions
        {
            Addresses = [$"127.0.0.1:{link.Port}", $"127.0.0.1:{shared.Client.Port}"],
            RequestTimeout = TimeSpan.FromSeconds(1),
        });
        await using var direct = Channel();
        await using var producer = new StreamProducer(direct);
        var readers = Enumerable.Range(0, 4).Select(_ => new QueueReader(channel, topic, 0, offset: 0)).ToList();
        await producer.SendAsync(new OutgoingMessage(topic, Bytes("0")));
        foreach (var reader in readers)
        {
            Assert.Equal("0", Text(Assert.Single(await reader.ReadAsync().WaitAsync(Patience))));
        }

        link.FallSilent();
        var waiting = readers.Select(reader => reader.ReadAsync()).ToList();
        await producer.SendAsync(new OutgoingMessage(topic, Bytes("1")));

        foreach (var delivery in await Task.WhenAll(waiting).WaitAsync(Patience))
        {
            Assert.Equal("1", Text(Assert.Single(delivery)));
        }

        foreach (var reader in readers)
        {
            await reader.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_cannot_be_subscribed_or_read_is_refused_with_the_code_of_the_other_service()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        await using var channel = Channel();

        Assert.Equal(Code.TopicNotFound, await SubscribeAsync(new Subscribe { Group = group, Topic = "absent", InvisibleDuration = new() { Seconds = 5 } }));
        Assert.Equal(Code.IllegalConsumerGroup, await SubscribeAsync(new Subscribe { Group = "a b", Topic = topic, InvisibleDuration = new() { Seconds = 5 } }));
        Assert.Equal(Code.IllegalInvisibleTime, await SubscribeAsync(new Subscribe { Group = group, Topic = topic }));
        Assert.Equal(Code.MessageCorrupted, await SubscribeAsync(new Subscribe { Group = group, Topic = topic, InvisibleDuration = new() { Seconds = 5 }, BatchCountMax = 1_025 }));
        Assert.Equal(
            Code.IllegalFilterExpression,
            await SubscribeAsync(new Subscribe
            {
                Group = group,
                Topic = topic,
                InvisibleDuration = new() { Seconds = 5 },
                Filter = new() { Type = FilterType.Sql, Expression = "a >" },
            }));
        var wrongQueue = await Assert.ThrowsAsync<RequestRefusedException>(() => new QueueReader(channel, topic, 4, 0).ReadAsync().WaitAsync(Patience));
        var wrongOffset = await Assert.ThrowsAsync<RequestRefusedException>(() => new QueueReader(channel, topic, 0, 5).ReadAsync().WaitAsync(Patience));
        Assert.Contains("queues 0 to 0", wrongQueue.Message, StringComparison.Ordinal);
        Assert.Contains("IllegalOffset", wrongOffset.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("credit", "credit.bytes")]
    [InlineData("settle", "not settled")]
    [InlineData("nothing", "neither 'credit' nor 'settle'")]
    [InlineData("first", "neither 'subscribe' nor 'read'")]
    public async Task A_client_that_breaks_the_protocol_is_told_how(string fault, string word)
    {
        var topic = await shared.NewTopicAsync();
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{shared.Client.Port}");
        using var call = new StreamService.StreamServiceClient(channel).Consume(shared.Client.Options());
        if (fault != "first")
        {
            await call.RequestStream.WriteAsync(new ConsumeRequest { Read = new ReadQueue { Topic = topic } });
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal(Code.Ok, call.ResponseStream.Current.Subscribed.Status.Code);
        }

        await call.RequestStream.WriteAsync(fault switch
        {
            "settle" => new ConsumeRequest { Settle = new Settle { Number = 1 } },
            "nothing" => new ConsumeRequest(),
            _ => new ConsumeRequest { Credit = new Credit { Bytes = 0 } },
        });
        var broken = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));

        Assert.Equal(StatusCode.InvalidArgument, broken.StatusCode);
        Assert.Contains(word, broken.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_consumer_that_reaches_a_follower_gets_everything_when_the_leader_dies()
    {
        await using var cluster = await TestCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var followers = cluster.Running.Where(node => node != leader).ToList();
        await using var channel = cluster.ChannelTo(followers);
        await using var producer = new StreamProducer(channel);
        await producer.SendAsync([.. Enumerable.Range(0, 500).Select(number => new OutgoingMessage("orders", Bytes($"{number}")))]);
        await using var consumer = new StreamConsumer(channel, "billing", "orders", new StreamConsumerOptions { BatchCountMax = 50 });
        var seen = new HashSet<string>();
        var first = await consumer.ReceiveAsync().WaitAsync(Patience);
        seen.UnionWith(first.Select(message => Text(message)));
        await consumer.AckAsync(first);

        await cluster.StopNodeAsync(leader);
        while (seen.Count < 500)
        {
            var delivery = await consumer.ReceiveAsync().WaitAsync(TimeSpan.FromSeconds(60));
            seen.UnionWith(delivery.Select(message => Text(message)));
            await consumer.AckAsync(delivery);
        }

        Assert.Equal(500, seen.Count);
    }

    private async Task<Code> SubscribeAsync(Subscribe subscribe)
    {
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{shared.Client.Port}");
        using var call = new StreamService.StreamServiceClient(channel).Consume(shared.Client.Options());
        await call.RequestStream.WriteAsync(new ConsumeRequest { Subscribe = subscribe });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        var code = call.ResponseStream.Current.Subscribed.Status.Code;
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
        return code;
    }

    private DledgerChannel Channel() => new(new DledgerChannelOptions { Addresses = [$"127.0.0.1:{shared.Client.Port}"] });

    private static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    private static string Text(in StreamedMessage message) => System.Text.Encoding.UTF8.GetString(message.Body.Span);
}
