using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Producing;
using Dledger.Client.Streaming;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Dledger.Protocol.Stream.V1;
using Google.Protobuf;
using Grpc.Net.Client;
using Compression = Dledger.Protocol.Stream.V1.Compression;
using StreamBatch = Dledger.Protocol.Stream.V1.RecordBatch;

namespace Dledger.Server.Tests.Wire;

/// <summary>Batches that are compressed as a whole, through our own client and through a bare one.</summary>
public sealed class StreamCompressionTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(BatchCompression.Lz4, true)]
    [InlineData(BatchCompression.Zlib, true)]
    [InlineData(BatchCompression.Lz4, false)]
    [InlineData(BatchCompression.Zlib, false)]
    public async Task Compressed_messages_come_as_they_were_sent_to_consumers_that_unpack_and_to_others(
        BatchCompression compression, bool takesCompressed)
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Normal, MessageType.Fifo);
        await using var channel = Channel();
        await SendAsync(channel, topic, 20, compression);
        var options = new StreamConsumerOptions { TakesCompressed = takesCompressed };
        await using var consumer = new StreamConsumer(channel, await shared.NewGroupAsync(), topic, options);
        await using var reader = new QueueReader(channel, topic, 0, 0, options);

        var leased = await consumer.ReceiveAsync().WaitAsync(Patience);
        var read = await reader.ReadAsync().WaitAsync(Patience);
        await consumer.AckAsync(leased);

        foreach (var delivery in (StreamDelivery[])[leased, read])
        {
            Assert.Equal(Enumerable.Range(0, 20).Select(Text), delivery.Select(message => Text(message)));
            Assert.Equal(Enumerable.Range(0, 20).Select(number => (long)number), delivery.Select(message => message.Offset));
            Assert.Equal(("id-3", "t1", "g"), (delivery[3].MessageId, delivery[3].Tag, delivery[3].MessageGroup));
            Assert.Equal(new Dictionary<string, string> { ["n"] = "3" }, delivery[3].Properties);
            Assert.All(delivery, message => Assert.InRange(
                message.StoreTime, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5)));
        }

        Assert.Equal(20, read.NextOffset);
    }

    [Fact]
    public async Task A_whole_batch_is_delivered_with_the_bytes_that_its_producer_sent()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Normal, MessageType.Fifo);
        await using var channel = Channel();
        await SendAsync(channel, topic, 100, BatchCompression.Lz4);
        await SendAsync(channel, topic, 100, BatchCompression.Zlib);

        var packed = await ReadAsync(topic, 0, Compression.Lz4, Compression.Zlib);
        var plain = await ReadAsync(topic, 0);
        var half = await ReadAsync(topic, 0, Compression.Zlib);
        var part = await ReadAsync(topic, 50, Compression.Lz4, Compression.Zlib);

        Assert.Equal([(Compression.Lz4, 100, 100L), (Compression.Zlib, 100, 200)], packed.Select(Shape));
        Assert.Equal([(Compression.None, 200, 200L)], plain.Select(Shape));
        Assert.Equal([(Compression.None, 100, 100L), (Compression.Zlib, 100, 200)], half.Select(Shape));
        Assert.Equal([(Compression.None, 50, 100L), (Compression.Zlib, 100, 200)], part.Select(Shape));
        Assert.All(packed, delivery => Assert.True(delivery.Records.Length * 4 < delivery.UncompressedSize));
        Assert.Equal(plain[0].Records.Length, packed.Sum(delivery => delivery.UncompressedSize));
    }

    [Fact]
    public async Task The_other_service_receives_acknowledges_filters_and_finds_messages_of_a_batch()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Normal, MessageType.Fifo);
        var group = await shared.NewGroupAsync();
        await using var channel = Channel();
        await SendAsync(channel, topic, 10, BatchCompression.Lz4);
        await using var tagged = new StreamConsumer(
            channel, await shared.NewGroupAsync(), topic, new StreamConsumerOptions { Filter = "t0" });
        await using var selected = new StreamConsumer(
            channel, await shared.NewGroupAsync(), topic, new StreamConsumerOptions { Filter = "n >= 8", IsSql = true });

        var messages = await shared.Client.ReceiveAsync(topic, group);
        await shared.Client.AckAsync(topic, group, [.. messages.Select(message => message.SystemProperties.ReceiptHandle)]);
        var rest = await shared.Client.ReceiveAsync(topic, group, request => request.LongPollingTimeout = new() { Nanos = 1_000_000 });
        var byId = await FindAsync(new FindMessagesRequest { Topic = topic, MessageId = "id-7" });
        var byKey = await FindAsync(new FindMessagesRequest { Topic = topic, Key = "k4" });

        Assert.Equal(Enumerable.Range(0, 10).Select(Text), messages.Select(message => message.Body.ToStringUtf8()));
        Assert.Empty(rest);
        Assert.Equal(["0", "2", "4", "6", "8"], (await tagged.ReceiveAsync().WaitAsync(Patience)).Select(message => message.Properties["n"]));
        Assert.Equal(["8", "9"], (await selected.ReceiveAsync().WaitAsync(Patience)).Select(message => message.Properties["n"]));
        Assert.Equal(7, Assert.Single(byId.Messages).QueueOffset);
        Assert.Equal(4, Assert.Single(byKey.Messages).QueueOffset);
    }

    [Fact]
    public async Task One_message_from_the_middle_of_a_batch_goes_to_the_dead_letters()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        await using var channel = Channel();
        await SendAsync(channel, topic, 5, BatchCompression.Lz4, isOrdered: false);
        var messages = await shared.Client.ReceiveAsync(topic, group);

        await shared.Client.Messaging.ForwardMessageToDeadLetterQueueAsync(
            new ForwardMessageToDeadLetterQueueRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                ReceiptHandle = messages[2].SystemProperties.ReceiptHandle,
            },
            shared.Client.Options());
        var letters = await shared.Client.ReceiveAsync($"%DLQ%{group}", await shared.NewGroupAsync());

        var letter = Assert.Single(letters);
        Assert.Equal((Text(2), "id-2"), (letter.Body.ToStringUtf8(), letter.SystemProperties.MessageId));
    }

    [Fact]
    public async Task A_node_that_starts_again_delivers_what_was_not_acknowledged_out_of_its_batches()
    {
        var directory = Path.Combine(Path.GetTempPath(), $"dledger-node-{Guid.NewGuid():N}");
        try
        {
            await using (var node = await TestNode.StartAsync(directory: directory))
            {
                await using var channel = ChannelTo(node.Client.Port);
                await SendAsync(channel, "orders", 50, BatchCompression.Zlib, isOrdered: false);
                var first = await node.Client.ReceiveAsync("orders", "billing", request =>
                {
                    request.BatchSize = 10;
                    request.InvisibleDuration = new() { Seconds = 10 };
                });
                await node.Client.AckAsync("orders", "billing", [.. first.Skip(1).Select(message => message.SystemProperties.ReceiptHandle)]);
            }

            await using var again = await TestNode.StartAsync(directory: directory);
            await using var reopened = ChannelTo(again.Client.Port);
            await using var consumer = new StreamConsumer(reopened, "billing", "orders");
            var numbers = new List<int>();
            while (numbers.Count < 41)
            {
                var delivery = await consumer.ReceiveAsync().WaitAsync(Patience);
                numbers.AddRange(delivery.Select(message => int.Parse(message.Properties["n"], null)));
                await consumer.AckAsync(delivery);
            }

            Assert.Equal([0, .. Enumerable.Range(10, 40)], numbers.Order());
        }
        finally
        {
            System.IO.Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_producer_whose_leader_dies_stores_every_compressed_message_once()
    {
        await using var cluster = await TestCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var followers = cluster.Running.Where(node => node != leader).ToList();
        await using var channel = cluster.ChannelTo(followers);
        await using var producer = new StreamProducer(channel, new StreamProducerOptions { Compression = BatchCompression.Lz4 });
        var sends = new List<Task<BatchReceipt>>();
        for (var batch = 0; batch < 40; batch++)
        {
            sends.Add(producer.SendAsync([.. Enumerable.Range(batch * 50, 50).Select(number => Message("orders", number, isOrdered: false))]));
            if (batch == 10)
            {
                await sends[0];
                await cluster.StopNodeAsync(leader);
            }
        }

        await Task.WhenAll(sends);
        var description = await cluster.Client(followers[0]).Admin.DescribeTopicAsync(
            new DescribeTopicRequest { Name = "orders" }, cluster.Client(followers[0]).Options());
        var ids = new HashSet<string>();
        await using var consumer = new StreamConsumer(channel, "billing", "orders");
        while (ids.Count < 2_000)
        {
            var delivery = await consumer.ReceiveAsync().WaitAsync(Patience);
            ids.UnionWith(delivery.Select(message => message.MessageId));
            await consumer.AckAsync(delivery);
        }

        Assert.Equal(2_000, description.Queues.Sum(queue => queue.MaxOffset - queue.MinOffset));
    }

    [Theory]
    [InlineData("nothing", Code.Ok, "")]
    [InlineData("compression", Code.MessageCorrupted, "compression 7 is unknown")]
    [InlineData("size", Code.MessageCorrupted, "is not")]
    [InlineData("no size", Code.MessageCorrupted, "size of the batch is 0")]
    [InlineData("large", Code.MessageBodyTooLarge, "the limit is")]
    [InlineData("bytes", Code.MessageCorrupted, "is not")]
    public async Task A_batch_that_is_not_what_it_says_is_refused_and_nothing_is_stored(string fault, Code code, string word)
    {
        var topic = await shared.NewTopicAsync();
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{shared.Client.Port}");
        using var call = new StreamService.StreamServiceClient(channel).Produce(shared.Client.Options());
        await call.RequestStream.WriteAsync(new ProduceRequest { Open = new OpenTopic { Topic = topic, Handle = 3 } });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        var opened = call.ResponseStream.Current.Opened;
        var record = Storage.Records.RecordEncoder.Encode(
            new Storage.Records.RecordFields { Kind = Storage.Records.RecordKind.Message, TopicId = opened.TopicId },
            "id"u8,
            [1, 1, 0, 1, 2, 1, 0, 1],
            new byte[2_000]);
        var block = new byte[record.Length];
        Assert.True(CompressionCodec.TryCompress(Primitives.Compression.Lz4, record, block, out var length));
        length -= fault == "bytes" ? 1 : 0;

        await call.RequestStream.WriteAsync(new ProduceRequest
        {
            Batch = new StreamBatch
            {
                Handle = 3,
                Number = 77,
                Count = 1,
                Records = ByteString.CopyFrom(block.AsSpan(0, length)),
                Compression = fault == "compression" ? (Compression)7 : Compression.Lz4,
                UncompressedSize = fault switch
                {
                    "size" => record.Length + 8,
                    "no size" => 0,
                    "large" => int.MaxValue,
                    _ => record.Length,
                },
            },
        });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        var result = Assert.Single(call.ResponseStream.Current.Results);

        Assert.Equal([Compression.Lz4, Compression.Zlib], opened.Compressions);
        Assert.Equal((77u, code), (result.Number, result.Status.Code));
        Assert.Contains(word, result.Status.Message, StringComparison.Ordinal);
        Assert.Equal(code == Code.Ok ? 1 : 0, await shared.StoredCountAsync(topic));
    }

    private static (Compression Compression, int Count, long NextOffset) Shape(Delivery delivery) =>
        (delivery.Compression, delivery.Positions.Count, delivery.NextOffset);

    private static OutgoingMessage Message(string topic, int number, bool isOrdered) => new(topic, System.Text.Encoding.UTF8.GetBytes(Text(number)))
    {
        MessageId = $"id-{number}",
        Tag = $"t{number % 2}",
        Keys = [$"k{number}"],
        Properties = new Dictionary<string, string> { ["n"] = $"{number}" },
        MessageGroup = isOrdered ? "g" : null,
    };

    private static string Text(int number) => $"{{\"order\":{number},\"state\":\"{new string('a', 300)}\"}}";

    private static string Text(in StreamedMessage message) => System.Text.Encoding.UTF8.GetString(message.Body.Span);

    private static async Task SendAsync(
        DledgerChannel channel, string topic, int count, BatchCompression compression, bool isOrdered = true)
    {
        await using var producer = new StreamProducer(channel, new StreamProducerOptions { Compression = compression });
        await producer.SendAsync([.. Enumerable.Range(0, count).Select(number => Message(topic, number, isOrdered))]);
    }

    private static DledgerChannel ChannelTo(int port) => new(new DledgerChannelOptions { Addresses = [$"127.0.0.1:{port}"] });

    private DledgerChannel Channel() => ChannelTo(shared.Client.Port);

    private async Task<FindMessagesResponse> FindAsync(FindMessagesRequest request) =>
        await new MessageService.MessageServiceClient(GrpcChannel.ForAddress($"http://127.0.0.1:{shared.Client.Port}"))
            .FindMessagesAsync(request, shared.Client.Options());

    // Up to the end of the queue.
    private async Task<List<Delivery>> ReadAsync(string topic, long offset, params Compression[] compressions)
    {
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{shared.Client.Port}");
        using var call = new StreamService.StreamServiceClient(channel).Consume(shared.Client.Options());
        await call.RequestStream.WriteAsync(new ConsumeRequest
        {
            Read = new ReadQueue { Topic = topic, Offset = offset, Compressions = { compressions } },
        });
        await call.RequestStream.WriteAsync(new ConsumeRequest { Credit = new Credit { Bytes = 64 << 20 } });
        var deliveries = new List<Delivery>();
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            if (call.ResponseStream.Current.Delivery is { } delivery)
            {
                deliveries.Add(delivery);
                if (delivery.NextOffset == delivery.EndOffset)
                {
                    break;
                }
            }
        }

        return deliveries;
    }
}
