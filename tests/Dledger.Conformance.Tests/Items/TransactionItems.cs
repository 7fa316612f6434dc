using System.Security.Cryptography;
using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Conformance.Tests.Items;

public sealed class TransactionItems(SharedNodes shared) : IClassFixture<SharedNodes>
{
    /// <summary>The first check comes when a half message is 6 s old, and a scan may take 30 s to notice.</summary>
    private static readonly TimeSpan CheckPatience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(TransactionResolution.Commit, new[] { "half" })]
    [InlineData(TransactionResolution.Rollback, new string[0])]
    public async Task Item_31_a_half_message_is_invisible_until_its_commit(TransactionResolution resolution, string[] expected)
    {
        var client = await shared.LeaderAsync();
        var (topic, group, message, transaction) = await BeginAsync(client);

        var before = await client.GlanceAsync(topic, group);
        var ended = await EndAsync(client, topic, message, transaction, resolution);
        var after = await client.ReceiveAsync(topic, group, request => request.LongPollingTimeout = new() { Seconds = 2 });

        Assert.NotEmpty(transaction);
        Assert.Empty(before);
        Assert.Equal(Code.Ok, ended.Status.Code);
        Assert.Equal(expected, after.Select(one => one.Body()));
        Assert.Empty(await client.GlanceAsync(topic, group));
    }

    [Fact]
    public async Task Item_32_a_node_that_did_not_take_the_message_ends_its_transaction()
    {
        var sender = await shared.LeaderAsync();
        var other = await shared.FollowerAsync();
        var (topic, group, message, transaction) = await BeginAsync(sender);

        var ended = await EndAsync(other, topic, message, transaction, TransactionResolution.Commit);

        Assert.Equal(Code.Ok, ended.Status.Code);
        Assert.Single(await sender.ReceiveAsync(topic, group));
    }

    [Fact]
    public async Task Item_35_a_blank_transaction_id_is_refused_and_the_transaction_stays_open()
    {
        var client = await shared.LeaderAsync();
        var (topic, group, message, transaction) = await BeginAsync(client);

        var refused = await EndAsync(client, topic, message, " ", TransactionResolution.Commit);
        var unseen = await client.GlanceAsync(topic, group);
        var ended = await EndAsync(client, topic, message, transaction, TransactionResolution.Commit);

        Assert.Equal(Code.InvalidTransactionId, refused.Status.Code);
        Assert.Empty(unseen);
        Assert.Equal(Code.Ok, ended.Status.Code);
    }

    [Fact]
    public async Task Item_33_an_undecided_transaction_is_checked_with_its_producer()
    {
        var client = await shared.FollowerAsync();
        var topic = await Administration.NewTopicAsync(client, 1, MessageType.Transaction);
        var group = await Administration.NewGroupAsync(client);
        using var stream = new TelemetryStream(client);
        await stream.SendAsync(stream.Producer(topic));
        await stream.NextAsync();
        var message = Half(client, topic);
        message.SystemProperties.Tag = "blue";
        message.SystemProperties.Keys.Add("key");
        message.UserProperties["shade"] = "navy";
        var entry = (await client.SendAsync(message)).Entries[0];

        var check = (await NextCheckAsync(stream)).RecoverOrphanedTransactionCommand;
        var ended = await EndAsync(
            client, topic, message, check.TransactionId, TransactionResolution.Commit, TransactionSource.SourceServerCheck);
        var received = await client.AwaitMessageAsync(topic, group, TimeSpan.FromSeconds(20));

        Assert.Equal(entry.TransactionId, check.TransactionId);
        Assert.Equal(topic, check.Message.Topic.Name);
        Assert.Equal(message.Body, check.Message.Body);
        Assert.Equal(message.UserProperties, check.Message.UserProperties);
        var system = check.Message.SystemProperties;
        Assert.Equal(message.SystemProperties.MessageId, system.MessageId);
        Assert.Equal("blue", system.Tag);
        Assert.Equal(["key"], system.Keys);
        Assert.Equal(Convert.ToHexString(MD5.HashData(message.Body.Span)), system.BodyDigest.Checksum);
        Assert.Equal(message.SystemProperties.BodyEncoding, system.BodyEncoding);
        Assert.NotNull(system.BornTimestamp);
        Assert.Equal(Code.Ok, ended.Status.Code);
        Assert.Equal(message.SystemProperties.MessageId, received.SystemProperties.MessageId);
    }

    [Fact]
    public async Task Item_34_an_unknown_resolution_leaves_a_transaction_open_and_it_is_checked_again()
    {
        var client = await shared.LeaderAsync();
        var topic = await Administration.NewTopicAsync(client, 1, MessageType.Transaction);
        var group = await Administration.NewGroupAsync(client);
        using var stream = new TelemetryStream(client);
        await stream.SendAsync(stream.Producer(topic));
        await stream.NextAsync();
        var message = Half(client, topic);
        var entry = (await client.SendAsync(message)).Entries[0];

        await NextCheckAsync(stream);
        var undecided = await EndAsync(client, topic, message, entry.TransactionId, TransactionResolution.Unspecified);
        var again = await NextCheckAsync(stream);
        var unseen = await client.GlanceAsync(topic, group);
        var ended = await EndAsync(client, topic, message, entry.TransactionId, TransactionResolution.Commit);

        Assert.Equal(Code.Ok, undecided.Status.Code);
        Assert.Equal(entry.TransactionId, again.RecoverOrphanedTransactionCommand.TransactionId);
        Assert.Empty(unseen);
        Assert.Equal(Code.Ok, ended.Status.Code);
        Assert.Single(await client.ReceiveAsync(topic, group));
    }

    private static async Task<TelemetryCommand> NextCheckAsync(TelemetryStream stream)
    {
        while (true)
        {
            Assert.True(await stream.Call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(CheckPatience));
            if (stream.Call.ResponseStream.Current.RecoverOrphanedTransactionCommand is not null)
            {
                return stream.Call.ResponseStream.Current;
            }
        }
    }

    private static Message Half(TestClient client, string topic) => client.Message(topic, "half", message =>
    {
        message.SystemProperties.MessageType = MessageType.Transaction;
        message.SystemProperties.OrphanedTransactionRecoveryDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(1));
    });

    private static async Task<(string Topic, string Group, Message Message, string TransactionId)> BeginAsync(TestClient client)
    {
        var topic = await Administration.NewTopicAsync(client, 1, MessageType.Transaction);
        var group = await Administration.NewGroupAsync(client);
        var message = client.Message(topic, "half", half => half.SystemProperties.MessageType = MessageType.Transaction);
        var sent = await client.SendAsync(message);
        Assert.Equal(Code.Ok, sent.Status.Code);
        return (topic, group, message, sent.Entries[0].TransactionId);
    }

    private static async Task<EndTransactionResponse> EndAsync(
        TestClient client,
        string topic,
        Message message,
        string transactionId,
        TransactionResolution resolution,
        TransactionSource source = TransactionSource.SourceUnspecified) =>
        await client.Messaging.EndTransactionAsync(
            new EndTransactionRequest
            {
                Topic = TestClient.Resource(topic),
                MessageId = message.SystemProperties.MessageId,
                TransactionId = transactionId,
                Resolution = resolution,
                Source = source,
            },
            client.Options());
}
