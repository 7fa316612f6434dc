using System.Buffers.Binary;
using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Client.Producing;
using Dledger.Client.Streaming;
using Dledger.Protocol.Stream.V1;
using Dledger.Storage.Records;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dledger.Server.Tests.Wire;

/// <summary>Batches of records over one stream, through our own client and through a bare one.</summary>
public sealed class StreamProduceTests(SharedNode shared) : IClassFixture<SharedNode>
{
    [Fact]
    public async Task Messages_of_a_stream_are_received_as_they_were_sent()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Normal, MessageType.Fifo);
        var group = await shared.NewGroupAsync();
        await using var channel = Channel();
        await using var producer = new StreamProducer(channel);

        var receipt = await producer.SendAsync(
        [
            new OutgoingMessage(topic, "first"u8.ToArray())
            {
                MessageId = "id-1", Tag = "ähm", Keys = ["k1", "k2"], Properties = new Dictionary<string, string> { ["a"] = "b", ["c"] = "" },
            },
            new OutgoingMessage(topic, "second"u8.ToArray()) { MessageGroup = "g1", IsGzip = true },
        ]);
        var messages = await shared.Client.ReceiveAsync(topic, group);

        Assert.Equal((0, 0, 2), (receipt.QueueId, receipt.FirstOffset, receipt.Count));
        Assert.Equal(["first", "second"], messages.Select(message => message.Body.ToStringUtf8()));
        var (first, second) = (messages[0].SystemProperties, messages[1].SystemProperties);
        Assert.Equal(("id-1", "ähm"), (first.MessageId, first.Tag));
        Assert.Equal(["k1", "k2"], first.Keys);
        Assert.Equal(new Dictionary<string, string> { ["a"] = "b", ["c"] = "" }, messages[0].UserProperties);
        Assert.Equal((MessageType.Fifo, "g1", Encoding.Gzip), (second.MessageType, second.MessageGroup, second.BodyEncoding));
        Assert.Equal(Environment.MachineName, first.BornHost);
    }

    [Fact]
    public async Task Messages_that_are_sent_one_by_one_gather_in_batches_and_keep_their_order()
    {
        var topic = await shared.NewTopicAsync(4, MessageType.Fifo);
        await using var channel = Channel();
        await using var producer = new StreamProducer(channel, new StreamProducerOptions { BatchCountMax = 7 });

        var sends = Enumerable.Range(0, 400)
            .Select(number => producer.SendAsync(new OutgoingMessage(topic, new byte[10]) { MessageGroup = $"g{number % 10}" }))
            .ToList();
        var receipts = await Task.WhenAll(sends);

        Assert.Equal(400, await shared.StoredCountAsync(topic));
        for (var group = 0; group < 10; group++)
        {
            var offsets = receipts.Where((_, number) => number % 10 == group).Select(receipt => receipt.Offset).ToList();
            Assert.Equal(offsets.Order(), offsets);
            Assert.Distinct(offsets);
        }
    }

    [Fact]
    public async Task What_the_broker_has_to_decide_itself_comes_by_the_same_stream()
    {
        var delayed = await shared.NewTopicAsync(1, MessageType.Delay);
        var urgent = await shared.NewTopicAsync(3, MessageType.Priority);
        var group = await shared.NewGroupAsync();
        await using var channel = Channel();
        await using var producer = new StreamProducer(channel);

        var late = await producer.SendAsync(new OutgoingMessage(delayed, "late"u8.ToArray()) { DeliverAt = DateTimeOffset.UtcNow.AddHours(1) });
        await producer.SendAsync(new OutgoingMessage(urgent, "low"u8.ToArray()) { Priority = 0 });
        await producer.SendAsync(new OutgoingMessage(urgent, "high"u8.ToArray()) { Priority = 2 });
        var messages = await shared.Client.ReceiveAsync(urgent, group);

        Assert.NotNull(late.RecallHandle);
        Assert.Equal(["high", "low"], messages.Select(message => message.Body.ToStringUtf8()));
        await new Producer(channel).RecallAsync(delayed, late.RecallHandle);
    }

    [Fact]
    public async Task A_topic_with_a_window_gets_the_hash_of_each_id_and_stores_an_id_once()
    {
        var topic = await shared.NewTopicAsync();
        await using var channel = Channel();
        await using var producer = new StreamProducer(channel);
        var message = new OutgoingMessage(topic, "hello"u8.ToArray()) { MessageId = "once" };
        await producer.SendAsync(message);
        await shared.Client.Admin.AlterTopicAsync(
            new Protocol.Admin.V1.AlterTopicRequest
            {
                Name = topic,
                IdWindowTime = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMinutes(2)),
            },
            shared.Client.Options());

        var first = await producer.SendAsync(message);
        var repeat = await producer.SendAsync(message);

        Assert.Equal((1, 1), (first.Offset, repeat.Offset));
        Assert.Equal(2, await shared.StoredCountAsync(topic));
    }

    [Fact]
    public async Task A_message_that_breaks_a_rule_fails_alone_and_the_next_ones_are_stored()
    {
        var topic = await shared.NewTopicAsync();
        await using var channel = Channel();
        await using var producer = new StreamProducer(channel);

        var refused = await Assert.ThrowsAsync<RequestRefusedException>(
            () => producer.SendAsync([new OutgoingMessage(topic, "body"u8.ToArray()) { Tag = "a|b" }]));
        var receipt = await producer.SendAsync([new OutgoingMessage(topic, "body"u8.ToArray())]);

        Assert.Contains("'|'", refused.Message, StringComparison.Ordinal);
        Assert.Equal(nameof(Code.IllegalMessageTag), refused.Code);
        Assert.Equal(0, receipt.FirstOffset);
    }

    /// <summary>What is wrong with a record, the code, and a word of the reason.</summary>
    public static TheoryData<string, Code, string> Faults => new()
    {
        { "nothing", Code.Ok, "" },
        { "crc", Code.MessageCorrupted, "checksum" },
        { "length", Code.MessageCorrupted, "is no record" },
        { "kind", Code.MessageCorrupted, "kind 64" },
        { "store time", Code.MessageCorrupted, "store time 5" },
        { "flag", Code.MessageCorrupted, "flags 16" },
        { "no body", Code.MessageBodyEmpty, "empty" },
        { "other topic", Code.TopicNotFound, "open it again" },
        { "other queue", Code.TopicNotFound, "no queue 7" },
        { "id hash", Code.TopicNotFound, "no id hash" },
        { "tag hash", Code.IllegalMessageTag, "tag hash 5" },
        { "group hash", Code.IllegalMessageGroup, "message group" },
        { "blank id", Code.IllegalMessageId, "blank" },
        { "bad text", Code.MessageCorrupted, "UTF-8" },
        { "cut map", Code.MessageCorrupted, "ends inside an entry" },
        { "cut user property", Code.MessageCorrupted, "ends inside a user property" },
        { "no type", Code.MessageCorrupted, "lacks the message type" },
        { "two types", Code.MessageCorrupted, "two entries" },
        { "server's entry", Code.MessageCorrupted, "kind 36" },
        { "reserved property", Code.IllegalMessagePropertyKey, "reserved" },
        { "doubled property", Code.IllegalMessagePropertyKey, "twice" },
        { "type that is not accepted", Code.MessagePropertyConflictWithType, "accepts Normal" },
        { "sequence without producer", Code.BadRequest, "number" },
        { "count", Code.MessageCorrupted, "is no record" },
        { "bytes behind", Code.MessageCorrupted, "bytes follow" },
        { "handle", Code.TopicNotFound, "handle 9" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_record_that_is_not_what_it_says_is_refused_and_nothing_is_stored(string fault, Code code, string word)
    {
        var topic = await shared.NewTopicAsync();
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{shared.Client.Port}");
        using var call = new StreamService.StreamServiceClient(channel).Produce(shared.Client.Options());
        await call.RequestStream.WriteAsync(new ProduceRequest { Open = new OpenTopic { Topic = topic, Handle = 3 } });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        var opened = call.ResponseStream.Current.Opened;

        var batch = new RecordBatch { Handle = 3, Number = 77, Count = 1, Records = ByteString.CopyFrom(Broken(fault, opened)) };
        batch.Handle = fault == "handle" ? 9u : 3u;
        batch.Count = fault == "count" ? 2 : 1;
        await call.RequestStream.WriteAsync(new ProduceRequest { Batch = batch });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        var result = Assert.Single(call.ResponseStream.Current.Results);
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));

        Assert.Equal((77u, code), (result.Number, result.Status.Code));
        Assert.Contains(word, result.Status.Message, StringComparison.Ordinal);
        Assert.Equal(code == Code.Ok ? 1 : 0, await shared.StoredCountAsync(topic));
    }

    [Fact]
    public async Task A_stream_without_client_id_or_with_an_empty_request_ends_with_what_is_wrong()
    {
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{shared.Client.Port}");
        var client = new StreamService.StreamServiceClient(channel);
        using var nameless = client.Produce(new CallOptions([], DateTime.UtcNow.AddSeconds(30)));
        using var empty = client.Produce(shared.Client.Options());
        await empty.RequestStream.WriteAsync(new ProduceRequest());

        var noId = await Assert.ThrowsAsync<RpcException>(() => nameless.ResponseStream.MoveNext(CancellationToken.None));
        var noRequest = await Assert.ThrowsAsync<RpcException>(() => empty.ResponseStream.MoveNext(CancellationToken.None));

        Assert.Equal((StatusCode.InvalidArgument, StatusCode.InvalidArgument), (noId.StatusCode, noRequest.StatusCode));
        Assert.Contains("x-mq-client-id", noId.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_producer_that_reaches_a_follower_goes_on_when_the_leader_dies_and_every_message_is_stored_once()
    {
        await using var cluster = await TestCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var followers = cluster.Running.Where(node => node != leader).ToList();
        await using var channel = cluster.ChannelTo(followers);
        await using var producer = new StreamProducer(channel);
        var sends = new List<Task<SendReceipt>>();
        var enough = new TaskCompletionSource();
        var sending = SendAsync();
        await enough.Task;

        await cluster.StopNodeAsync(leader);
        var receipts = await Task.WhenAll(await sending);

        var description = await cluster.Client(followers[0]).Admin.DescribeTopicAsync(
            new Protocol.Admin.V1.DescribeTopicRequest { Name = "orders" }, cluster.Client(followers[0]).Options());
        Assert.Equal(receipts.Length, description.Queues.Sum(queue => queue.MaxOffset - queue.MinOffset));

        async Task<List<Task<SendReceipt>>> SendAsync()
        {
            for (var number = 0; number < 2_000; number++)
            {
                sends.Add(producer.SendAsync(new OutgoingMessage("orders", new byte[100])));
                if (number % 20 == 0)
                {
                    await Task.WhenAll(sends);
                }

                if (number == 200)
                {
                    enough.SetResult();
                }
            }

            return sends;
        }
    }

    private DledgerChannel Channel() => new(new DledgerChannelOptions { Addresses = [$"127.0.0.1:{shared.Client.Port}"] });

    private static byte[] Broken(string fault, TopicOpened opened)
    {
        var map = new List<byte>();
        Entry(1, fault == "type that is not accepted" ? (byte)2 : (byte)1);
        Entry(2, 1);
        switch (fault)
        {
            case "no type":
                map.RemoveRange(0, 4);
                break;
            case "two types":
                Entry(1, 1);
                break;
            case "server's entry":
                Entry(36, 0);
                break;
            case "bad text":
                Entry(6, 0xff);
                break;
            case "cut map":
                map.AddRange([3, 9, 0, 65]);
                break;
            case "cut user property":
                Entry(5, 9, 0, 65);
                break;
            case "reserved property":
                Entry(5, [4, 0, .. "KEYS"u8, 1]);
                break;
            case "doubled property":
                Entry(5, 1, 0, 65, 66);
                Entry(5, 1, 0, 65, 67);
                break;
            case "group hash":
                Entry(7, 65);
                break;
        }

        var fields = new RecordFields
        {
            Kind = fault == "kind" ? RecordKind.Lease : RecordKind.Message,
            TopicId = fault == "other topic" ? 12345 : opened.TopicId,
            QueueId = fault == "other queue" ? 7 : 0,
            TagHash = fault == "tag hash" ? 5 : 0,
            MessageIdHash = fault == "id hash" ? UInt128.One : null,
            BodyCompressed = fault == "flag",

            Sequence = fault == "sequence without producer" ? 4 : 0,
        };
        var record = RecordEncoder.Encode(
            fields, fault == "blank id" ? "  "u8 : "id"u8, map.ToArray(), fault == "no body" ? [] : "body"u8);
        switch (fault)
        {
            case "crc":
                record[^1] ^= 1;
                break;
            case "length":
                BinaryPrimitives.WriteInt32LittleEndian(record, record.Length + 8);
                break;
            case "store time":
                BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(8), 5);
                break;
            case "bytes behind":
                record = [.. record, 1, 2, 3, 4, 5, 6, 7, 8];
                break;
        }

        return record;

        void Entry(byte kind, params byte[] content)
        {
            map.Add(kind);
            map.Add((byte)content.Length);
            map.Add(0);
            map.AddRange(content);
        }
    }
}
