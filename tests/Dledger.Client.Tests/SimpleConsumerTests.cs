using System.IO.Compression;
using System.Security.Cryptography;
using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Consuming;
using Dledger.Client.Errors;
using Dledger.Client.Tests.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Client.Tests;

public sealed class SimpleConsumerTests
{
    [Fact]
    public async Task A_received_message_has_all_that_was_delivered()
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Messaging.OnReceive = _ => [Delivered("body"u8.ToArray(), Encoding.Identity)];
        await using var channel = Channel(node);

        var message = Assert.Single(await new SimpleConsumer(channel, "g").ReceiveAsync("t"));

        Assert.Equal(("id", "t", 3, 17L, 2), (message.MessageId, message.Topic, message.QueueId, message.Offset, message.Attempt));
        Assert.Equal("body"u8.ToArray(), message.Body.ToArray());
        Assert.Equal(("tag", "handle", "v"), (message.Tag, message.ReceiptHandle, message.Properties["p"]));
        Assert.Equal(DateTimeOffset.UnixEpoch.AddSeconds(1), message.BornTime);
    }

    [Fact]
    public async Task A_receive_asks_for_what_its_options_say()
    {
        await using var node = await ScriptedNode.StartAsync();
        await using var channel = Channel(node);

        await new SimpleConsumer(channel, "g").ReceiveAsync("t", new ReceiveOptions
        {
            CountMax = 7,
            InvisibleDuration = TimeSpan.FromSeconds(11),
            Wait = TimeSpan.FromSeconds(1),
            TagExpression = "a || b",
        });

        var request = node.Messaging.Requests.OfType<ReceiveMessageRequest>().Single();
        Assert.Equal(("g", "t", 7), (request.Group.Name, request.MessageQueue.Topic.Name, request.BatchSize));
        Assert.Equal((11L, 1L), (request.InvisibleDuration.Seconds, request.LongPollingTimeout.Seconds));
        Assert.Equal((FilterType.Tag, "a || b"), (request.FilterExpression.Type, request.FilterExpression.Expression));
        Assert.NotEmpty(request.AttemptId);
    }

    [Fact]
    public async Task A_gzip_body_is_unpacked()
    {
        var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write("long text"u8);
        }

        await using var node = await ScriptedNode.StartAsync();
        node.Messaging.OnReceive = _ => [Delivered(packed.ToArray(), Encoding.Gzip)];
        await using var channel = Channel(node);

        var message = Assert.Single(await new SimpleConsumer(channel, "g").ReceiveAsync("t"));

        Assert.Equal("long text"u8.ToArray(), message.Body.ToArray());
    }

    [Fact]
    public async Task A_body_that_does_not_match_its_digest_is_not_handed_out()
    {
        await using var node = await ScriptedNode.StartAsync();
        var delivered = Delivered("body"u8.ToArray(), Encoding.Identity);
        delivered.Message.Body = ByteString.CopyFromUtf8("bodY");
        node.Messaging.OnReceive = _ => [delivered];
        await using var channel = Channel(node);

        await Assert.ThrowsAsync<ServerFaultException>(() => new SimpleConsumer(channel, "g").ReceiveAsync("t"));
    }

    [Fact]
    public async Task Nothing_there_is_an_empty_list()
    {
        await using var node = await ScriptedNode.StartAsync();
        await using var channel = Channel(node);

        Assert.Empty(await new SimpleConsumer(channel, "g").ReceiveAsync("t"));
    }

    [Fact]
    public async Task An_unknown_topic_is_said_to_be_unknown()
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Messaging.OnRoute = _ => new QueryRouteResponse { Status = new Status { Code = Code.TopicNotFound, Message = "no topic t" } };
        await using var channel = Channel(node);

        var failure = await Assert.ThrowsAsync<ResourceNotFoundException>(() => new SimpleConsumer(channel, "g").ReceiveAsync("t"));

        Assert.Contains("dledger topic create", failure.Hint);
    }

    [Fact]
    public async Task A_handle_that_has_run_out_is_refused()
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Messaging.OnReceive = _ => [Delivered("body"u8.ToArray(), Encoding.Identity)];
        node.Messaging.OnAck = _ => new AckMessageResponse
        {
            Status = new Status { Code = Code.InvalidReceiptHandle, Message = "expired" },
        };
        await using var channel = Channel(node);
        var consumer = new SimpleConsumer(channel, "g");
        var messages = await consumer.ReceiveAsync("t");

        var failure = await Assert.ThrowsAsync<RequestRefusedException>(() => consumer.AckAsync(messages));

        Assert.Equal("InvalidReceiptHandle", failure.Code);
    }

    [Fact]
    public async Task Changing_the_invisible_duration_gives_the_new_handle()
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Messaging.OnReceive = _ => [Delivered("body"u8.ToArray(), Encoding.Identity)];
        await using var channel = Channel(node);
        var consumer = new SimpleConsumer(channel, "g");
        var message = Assert.Single(await consumer.ReceiveAsync("t"));

        var changed = await consumer.ChangeInvisibleAsync(message, TimeSpan.FromMinutes(1));

        Assert.Equal("new handle", changed.ReceiptHandle);
    }

    private static DledgerChannel Channel(ScriptedNode node) =>
        new(new DledgerChannelOptions { Addresses = [node.Address], RetryTimeout = TimeSpan.Zero });

    private static ReceiveMessageResponse Delivered(byte[] body, Encoding encoding) => new()
    {
        Message = new Message
        {
            Topic = new Resource { Name = "t" },
            Body = ByteString.CopyFrom(body),
            UserProperties = { ["p"] = "v" },
            SystemProperties = new SystemProperties
            {
                MessageId = "id",
                Tag = "tag",
                QueueId = 3,
                QueueOffset = 17,
                DeliveryAttempt = 2,
                ReceiptHandle = "handle",
                BodyEncoding = encoding,
                BodyDigest = new Digest { Type = DigestType.Md5, Checksum = Convert.ToHexString(MD5.HashData(body)) },
                BornTimestamp = new Timestamp { Seconds = 1 },
            },
        },
    };
}
