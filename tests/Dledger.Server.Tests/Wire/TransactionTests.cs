using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dledger.Server.Tests.Wire;

public sealed class TransactionTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    [Fact]
    public async Task A_transactional_message_is_visible_after_its_commit_and_never_after_a_rollback()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Transaction);
        var group = await shared.NewGroupAsync();
        var committed = await BeginAsync(shared.Client, topic, "committed");
        var rolledBack = await BeginAsync(shared.Client, topic, "rolledBack");
        Assert.NotEqual(committed.TransactionId, rolledBack.TransactionId);
        Assert.Empty(await shared.Client.ReceiveAsync(topic, group, Shortly));

        var codes = new[]
        {
            await EndAsync(shared.Client, topic, committed, TransactionResolution.Commit),
            await EndAsync(shared.Client, topic, rolledBack, TransactionResolution.Rollback),
            await EndAsync(shared.Client, topic, committed, TransactionResolution.Commit),
        };

        Assert.All(codes, code => Assert.Equal(Code.Ok, code));
        var message = Assert.Single(await shared.Client.ReceiveAsync(topic, group));
        Assert.Equal("committed", message.Body.ToStringUtf8());
        Assert.Equal(MessageType.Transaction, message.SystemProperties.MessageType);
        Assert.Empty(await shared.Client.ReceiveAsync(topic, group, Shortly));
        Assert.Equal(
            Code.InvalidTransactionId, await EndAsync(shared.Client, topic, committed, TransactionResolution.Rollback));
    }

    [Theory]
    [InlineData("", Code.InvalidTransactionId)]
    [InlineData(" ", Code.InvalidTransactionId)]
    [InlineData("forged", Code.InvalidTransactionId)]
    public async Task A_transaction_id_that_is_blank_or_unknown_is_refused(string id, Code code)
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Transaction);

        Assert.Equal(
            code,
            await EndAsync(shared.Client, topic, new SendResultEntry { TransactionId = id }, TransactionResolution.Commit));
    }

    [Fact]
    public async Task A_producer_that_did_not_decide_is_asked_with_the_whole_message_and_its_late_answer_counts()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Transaction);
        var group = await shared.NewGroupAsync();
        using var stream = await OpenProducerAsync(shared.Client);
        var entry = await BeginAsync(shared.Client, topic, "asked", message =>
        {
            message.SystemProperties.Tag = "tag";
            message.SystemProperties.Keys.Add("key");
            message.UserProperties["name"] = "value";
        });

        var command = await NextQuestionAsync(stream);

        Assert.Equal(Code.Ok, command.Status.Code);
        var question = command.RecoverOrphanedTransactionCommand;
        Assert.Equal(entry.TransactionId, question.TransactionId);
        Assert.Equal((topic, "asked"), (question.Message.Topic.Name, question.Message.Body.ToStringUtf8()));
        var system = question.Message.SystemProperties;
        Assert.Equal((entry.MessageId, "tag", "key"), (system.MessageId, system.Tag, Assert.Single(system.Keys)));
        Assert.Equal("value", question.Message.UserProperties["name"]);
        Assert.Equal(32, system.BodyDigest.Checksum.Length);
        Assert.NotNull(system.BornTimestamp);
        Assert.Equal(Code.Ok, await EndAsync(shared.Client, topic, entry, TransactionResolution.Commit));
        Assert.Single(await shared.Client.ReceiveAsync(topic, group));
    }

    [Fact]
    public async Task In_a_cluster_any_node_takes_the_decision_and_the_producer_is_asked_where_it_is_connected()
    {
        await using var cluster = await TestCluster.StartAsync();
        var follower = await cluster.FollowerAsync();
        var other = cluster.Running.First(node => node != follower);
        var client = cluster.Client(follower);
        var topic = new Topic { Name = "transactions", QueueCount = 1, AcceptMessageTypes = { MessageType.Transaction } };
        Assert.Equal(
            AdminCode.AdminOk,
            (await client.Admin.CreateTopicAsync(new CreateTopicRequest { Topic = topic }, client.Options())).Status.Code);
        using var stream = await OpenProducerAsync(client);
        var entry = await BeginAsync(client, topic.Name, "asked");

        var question = (await NextQuestionAsync(stream)).RecoverOrphanedTransactionCommand;

        Assert.Equal(entry.TransactionId, question.TransactionId);
        Assert.Equal(
            Code.Ok, await EndAsync(cluster.Client(other), topic.Name, entry, TransactionResolution.Commit));
        Assert.Single(await client.ReceiveAsync(topic.Name, "group"));
    }

    [Fact]
    public async Task Without_a_producer_the_webhook_of_the_topic_decides_by_a_signed_question()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Transaction);
        var group = await shared.NewGroupAsync();
        using var listener = StartListener(out var url);
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{shared.Client.Port}");
        var admin = new TransactionAdminService.TransactionAdminServiceClient(channel);
        var altered = await admin.AlterTransactionChecksAsync(new AlterTransactionChecksRequest
        {
            Topic = topic,
            FirstCheck = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)),
            WebhookUrl = url,
            WebhookSecret = "secret",
        });
        Assert.Equal(AdminCode.AdminOk, altered.Status.Code);
        Assert.Equal(url, altered.Settings.WebhookUrl);
        var entry = await BeginAsync(shared.Client, topic, "hooked", message =>
            message.SystemProperties.OrphanedTransactionRecoveryDuration = null);

        var context = await listener.GetContextAsync().WaitAsync(Patience);
        using var reader = new MemoryStream();
        await context.Request.InputStream.CopyToAsync(reader);
        var body = reader.ToArray();
        var answer = "{\"resolution\":\"COMMIT\"}"u8.ToArray();
        await context.Response.OutputStream.WriteAsync(answer);
        context.Response.Close();

        Assert.Equal(
            "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData("secret"u8, body)),
            context.Request.Headers["X-Dledger-Signature"]);
        using var json = JsonDocument.Parse(body);
        Assert.Equal(topic, json.RootElement.GetProperty("topic").GetString());
        Assert.Equal(entry.TransactionId, json.RootElement.GetProperty("transactionId").GetString());
        Assert.Equal("hooked", System.Text.Encoding.UTF8.GetString(json.RootElement.GetProperty("body").GetBytesFromBase64()));
        Assert.Equal(
            "hooked", Assert.Single(await shared.Client.ReceiveAsync(topic, group)).Body.ToStringUtf8());
    }

    [Fact]
    public async Task An_operator_lists_shows_and_settles_transactions()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Transaction);
        var group = await shared.NewGroupAsync();
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{shared.Client.Port}");
        var admin = new TransactionAdminService.TransactionAdminServiceClient(channel);
        var first = await BeginAsync(shared.Client, topic, "first");
        var second = await BeginAsync(shared.Client, topic, "second");
        var third = await BeginAsync(shared.Client, topic, "third");

        var open = await admin.ListTransactionsAsync(new ListTransactionsRequest { Topic = topic });
        var shown = await admin.ShowTransactionAsync(new ShowTransactionRequest { TransactionId = first.TransactionId });
        var commit = new EndTransactionsRequest
        {
            TransactionIds = { first.TransactionId, second.TransactionId },
            Resolution = TransactionResolution.Commit,
            DryRun = true,
        };
        var dry = await admin.EndTransactionsAsync(commit);
        Assert.Empty(await shared.Client.ReceiveAsync(topic, group, Shortly));
        commit.DryRun = false;
        var wet = await admin.EndTransactionsAsync(commit);
        var rollback = await admin.EndTransactionsAsync(new EndTransactionsRequest
        {
            TransactionIds = { third.TransactionId },
            Resolution = TransactionResolution.Rollback,
        });
        var discarded = await admin.ListTransactionsAsync(new ListTransactionsRequest { Topic = topic, Discarded = true });

        Assert.Equal(
            new[] { first, second, third }.Select(entry => entry.TransactionId),
            open.Transactions.Select(transaction => transaction.TransactionId));
        Assert.Equal("first", Assert.Single(shown.Messages).Body.ToStringUtf8());
        Assert.All([dry.Status, wet.Status, rollback.Status], status => Assert.Equal(AdminCode.AdminOk, status.Code));
        Assert.Equal(["first", "second"], (await shared.Client.ReceiveAsync(topic, group)).Select(m => m.Body.ToStringUtf8()));
        var gone = Assert.Single(discarded.Transactions);
        Assert.Equal(
            (TransactionState.TransactionRolledBack, TransactionDeciderKind.TransactionByOperator), (gone.State, gone.DecidedBy));
        Assert.Equal(
            AdminCode.AdminNotFound,
            (await admin.ShowTransactionAsync(new ShowTransactionRequest { TransactionId = first.TransactionId })).Status.Code);
    }

    private static void Shortly(ReceiveMessageRequest request) =>
        request.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(100));

    private static async Task<SendResultEntry> BeginAsync(
        TestClient client, string topic, string body, Action<Message>? change = null)
    {
        var response = await client.SendAsync(client.Message(topic, body, message =>
        {
            message.SystemProperties.MessageType = MessageType.Transaction;
            message.SystemProperties.OrphanedTransactionRecoveryDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(1));
            change?.Invoke(message);
        }));
        Assert.Equal(Code.Ok, response.Status.Code);
        var entry = Assert.Single(response.Entries);
        Assert.NotEmpty(entry.TransactionId);
        return entry;
    }

    private static async Task<Code> EndAsync(
        TestClient client, string topic, SendResultEntry entry, TransactionResolution resolution)
    {
        var response = await client.Messaging.EndTransactionAsync(
            new EndTransactionRequest
            {
                Topic = TestClient.Resource(topic),
                MessageId = entry.MessageId,
                TransactionId = entry.TransactionId,
                Resolution = resolution,
            },
            client.Options());
        return response.Status.Code;
    }

    private static async Task<AsyncDuplexStreamingCall<TelemetryCommand, TelemetryCommand>> OpenProducerAsync(TestClient client)
    {
        var stream = client.Messaging.Telemetry(client.Options(Patience));
        await stream.RequestStream.WriteAsync(new TelemetryCommand
        {
            Settings = new Settings { ClientType = ClientType.Producer, Publishing = new Publishing() },
        });
        Assert.True(await stream.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience));
        return stream;
    }

    private static async Task<TelemetryCommand> NextQuestionAsync(
        AsyncDuplexStreamingCall<TelemetryCommand, TelemetryCommand> stream)
    {
        while (true)
        {
            Assert.True(await stream.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience));
            var command = stream.ResponseStream.Current;
            if (command.CommandCase == TelemetryCommand.CommandOneofCase.RecoverOrphanedTransactionCommand)
            {
                return command;
            }
        }
    }

    private static HttpListener StartListener(out string url)
    {
        for (var attempt = 0; ; attempt++)
        {
            url = $"http://127.0.0.1:{RandomNumberGenerator.GetInt32(20_000, 50_000)}/check/";
            var listener = new HttpListener { Prefixes = { url } };
            try
            {
                listener.Start();
                return listener;
            }
            catch (HttpListenerException) when (attempt < 50)
            {
                listener.Close();
            }
        }
    }
}
