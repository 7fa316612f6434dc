using System.Security.Cryptography;
using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;
using Encoding = Apache.Rocketmq.V2.Encoding;

namespace Dledger.Conformance.Tests.Items;

public sealed class ReceiveItems(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task Item_36_messages_of_every_queue_come_whatever_queue_is_asked(int askedQueue)
    {
        var topic = await shared.NewTopicAsync(4);
        var group = await shared.NewGroupAsync();
        for (var count = 0; count < 8; count++)
        {
            await Client.SendAsync(Client.Message(topic));
        }

        var queues = new HashSet<int>();
        for (var received = 0; received < 8;)
        {
            var messages = await Client.ReceiveAsync(topic, group, request => request.MessageQueue.Id = askedQueue);
            Assert.NotEmpty(messages);
            received += messages.Count;
            queues.UnionWith(messages.Select(message => message.SystemProperties.QueueId));
        }

        Assert.Equal([0, 1, 2, 3], queues.Order());
    }

    [Theory]
    [InlineData(5, 3, 3)]
    [InlineData(2, 10, 2)]
    [InlineData(40, 100, 32)]
    [InlineData(3, 0, 1)]
    public async Task Item_41_the_frames_are_one_status_the_messages_and_one_time(int available, int batch, int expected)
    {
        var (topic, group) = await shared.PrepareAsync(messages: 0);
        await Client.SendAsync([.. Enumerable.Range(0, available).Select(_ => Client.Message(topic))]);

        var frames = await Client.ReceiveFramesAsync(Client.ReceiveRequest(topic, group, r => r.BatchSize = batch));

        Assert.Equal(
            [
                ReceiveMessageResponse.ContentOneofCase.Status,
                .. Enumerable.Repeat(ReceiveMessageResponse.ContentOneofCase.Message, expected),
                ReceiveMessageResponse.ContentOneofCase.DeliveryTimestamp,
            ],
            frames.Select(frame => frame.ContentCase));
        Assert.Equal(Code.Ok, frames[0].Status.Code);
    }

    [Fact]
    public async Task Item_42_a_delivered_message_has_all_that_libraries_read()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 0);
        var sent = Client.Message(topic, "grüße", message =>
        {
            message.SystemProperties.Tag = "blue";
            message.SystemProperties.Keys.AddRange(["k1", "key 2"]);
            message.UserProperties["shade"] = "navy";
        });
        var entry = (await Client.SendAsync(sent)).Entries[0];

        var received = Assert.Single(await Client.ReceiveAsync(topic, group));

        var system = received.SystemProperties;
        Assert.Equal(topic, received.Topic.Name);
        Assert.Equal(sent.Body, received.Body);
        Assert.Equal(sent.UserProperties, received.UserProperties);
        Assert.Equal(sent.SystemProperties.MessageId, system.MessageId);
        Assert.Equal(sent.SystemProperties.Keys, system.Keys);
        Assert.Equal("blue", system.Tag);
        Assert.NotEmpty(system.ReceiptHandle);
        Assert.Equal(DigestType.Md5, system.BodyDigest.Type);
        Assert.Equal(Md5Of(sent), system.BodyDigest.Checksum);
        Assert.Equal(Encoding.Identity, system.BodyEncoding);
        Assert.Equal(MessageType.Normal, system.MessageType);
        Assert.Equal(sent.SystemProperties.BornTimestamp.Seconds, system.BornTimestamp.Seconds);
        Assert.NotNull(system.StoreTimestamp);
        Assert.Equal(0, system.QueueId);
        Assert.Equal(entry.Offset, system.QueueOffset);
        Assert.Equal(1, system.DeliveryAttempt);
    }

    [Fact]
    public async Task Item_42_a_packed_body_stays_packed_and_its_digest_is_that_of_the_packed_bytes()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 0);
        var sent = Client.Message(topic, "not really packed", m => m.SystemProperties.BodyEncoding = Encoding.Gzip);
        await Client.SendAsync(sent);

        var received = Assert.Single(await Client.ReceiveAsync(topic, group));

        Assert.Equal(sent.Body, received.Body);
        Assert.Equal(Encoding.Gzip, received.SystemProperties.BodyEncoding);
        Assert.Equal(Md5Of(sent), received.SystemProperties.BodyDigest.Checksum);
    }

    [Fact]
    public async Task Item_43_a_cancelled_poll_locks_nothing()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 0);
        using var cancel = new CancellationTokenSource();
        using (var call = Client.Messaging.ReceiveMessage(
            Client.ReceiveRequest(topic, group), Client.Options(cancellationToken: cancel.Token)))
        {
            var waiting = call.ResponseStream.MoveNext(CancellationToken.None);

            // An answered call behind the poll on the same connection: by now the poll has reached the server.
            await Client.HeartbeatAsync();
            await cancel.CancelAsync();
            await Assert.ThrowsAsync<RpcException>(() => waiting);
        }

        await Client.SendAsync(Client.Message(topic));
        var received = Assert.Single(await Client.ReceiveAsync(topic, group));

        Assert.Equal(1, received.SystemProperties.DeliveryAttempt);
        var described = await Client.Admin.DescribeGroupAsync(new DescribeGroupRequest { Name = group }, Client.Options());
        Assert.Equal(1, described.Queues.Sum(queue => queue.InFlightCount));
    }

    [Theory]
    [InlineData("A || B", new[] { "A", "B" })]
    [InlineData("*", new[] { "A", "B", "C", "" })]
    [InlineData("", new[] { "A", "B", "C", "" })]
    [InlineData("a", new string[0])]
    public async Task Item_44_a_tag_filter_lets_through_what_it_names(string expression, string[] expected)
    {
        var (topic, group) = await shared.PrepareAsync(messages: 0);
        foreach (var tag in new[] { "A", "B", "C" })
        {
            await Client.SendAsync(Client.Message(topic, change: message => message.SystemProperties.Tag = tag));
        }

        await Client.SendAsync(Client.Message(topic));

        var received = await Client.GlanceAsync(topic, group, request => request.FilterExpression.Expression = expression);

        Assert.Equal(expected, received.Select(message => message.SystemProperties.Tag));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0)]
    public async Task Item_46_a_receive_without_invisible_duration_is_refused(int? seconds)
    {
        var (topic, group) = await shared.PrepareAsync(messages: 1);
        var before = await shared.StateAsync(topic, group);

        var frames = await Client.ReceiveFramesAsync(Client.ReceiveRequest(
            topic, group, request => request.InvisibleDuration = seconds is { } given ? new() { Seconds = given } : null));

        Assert.Equal(Code.IllegalInvisibleTime, Assert.Single(frames).Status.Code);
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    [Fact]
    public async Task Item_46_an_invisible_duration_of_five_seconds_is_accepted()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 1);

        var received = await Client.ReceiveAsync(topic, group, request => request.InvisibleDuration = new() { Seconds = 5 });

        Assert.Single(received);
    }

    private static string Md5Of(Message message) => Convert.ToHexString(MD5.HashData(message.Body.Span));
}
