using System.Security.Cryptography;
using Apache.Rocketmq.V2;

namespace Dledger.Server.Tests.Wire;

public sealed class SendAndReceiveTests
{
    [Fact]
    public async Task A_message_comes_back_as_it_was_sent_and_an_ack_ends_it()
    {
        await using var node = await TestNode.StartAsync();
        var client = node.Client;
        var sent = client.Message("orders", "hello", message =>
        {
            message.SystemProperties.Tag = "red";
            message.SystemProperties.Keys.AddRange(["k 1", "k2"]);
            message.SystemProperties.TraceContext = "trace";
            message.UserProperties["colour"] = "blau";
        });

        var route = await client.QueryRouteAsync("orders");
        var response = await client.SendAsync(sent);
        var received = Assert.Single(await client.ReceiveAsync("orders", "billing"));
        var acked = await client.AckAsync("orders", "billing", received.SystemProperties.ReceiptHandle);

        Assert.Equal(Code.Ok, route.Status.Code);
        Assert.Equal(Code.Ok, response.Status.Code);
        var entry = Assert.Single(response.Entries);
        Assert.Equal(Code.Ok, entry.Status.Code);
        Assert.Equal(sent.SystemProperties.MessageId, entry.MessageId);
        Assert.Equal(0, entry.Offset);

        var system = received.SystemProperties;
        Assert.Equal("orders", received.Topic.Name);
        Assert.Equal("hello", received.Body.ToStringUtf8());
        Assert.Equal(sent.SystemProperties.MessageId, system.MessageId);
        Assert.Equal("red", system.Tag);
        Assert.Equal(["k 1", "k2"], system.Keys);
        Assert.Equal("trace", system.TraceContext);
        Assert.Equal("blau", Assert.Single(received.UserProperties).Value);
        Assert.Equal(DigestType.Md5, system.BodyDigest.Type);
        Assert.Equal(Convert.ToHexString(MD5.HashData("hello"u8)), system.BodyDigest.Checksum);
        Assert.Equal(Encoding.Identity, system.BodyEncoding);
        Assert.Equal(MessageType.Normal, system.MessageType);
        Assert.Equal("born.example", system.BornHost);
        Assert.NotNull(system.BornTimestamp);
        Assert.NotNull(system.StoreTimestamp);
        Assert.Equal($"127.0.0.1:{client.Port}", system.StoreHost);
        Assert.Equal(entry.Offset, system.QueueOffset);
        Assert.Equal(1, system.DeliveryAttempt);
        Assert.NotEmpty(system.ReceiptHandle);
        Assert.False(system.HasMessageGroup);
        Assert.Null(system.DeadLetterQueue);
        Assert.Equal(Code.Ok, acked.Status.Code);
        Assert.Equal(Code.Ok, Assert.Single(acked.Entries).Status.Code);
    }
}
