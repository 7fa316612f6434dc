using System.Text.Json;
using Dledger.Integration.Tests.Processes;
using Dledger.Integration.Tests.Scripts;

namespace Dledger.Integration.Tests;

/// <summary>RocketMQ's Admin service about the official Node.js client, asked by a gRPC library of another language.</summary>
public sealed class OfficialClientDiagnosticsTests(SharedClusters clusters) : IClassFixture<SharedClusters>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_console_asks_a_consumer_that_is_connected_to_another_node(int nodeCount)
    {
        var cluster = await clusters.GetAsync(nodeCount);
        var (topic, group) = (clusters.NewName("topic"), clusters.NewName("group"));
        await cluster.CommandAsync("topic", "create", topic);
        await cluster.CommandAsync("group", "create", group);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);
        await using var consumer = await SdkScript.StartPushConsumerAsync(cluster.Nodes[0].Address, group, topic, "a");
        await using var console = await SdkScript.StartAsync(
            "admin.mjs", cluster.Nodes[^1].Address, Path.Combine(Repository.Root, "proto"));
        var sent = await producer.SendAsync(new { body = "tried", tag = "a" });
        await Eventually.TrueAsync("the message is delivered", Patience, () => Task.FromResult(consumer.Deliveries.Count > 0));

        var client = (await CallAsync(console, "ListConsumerConnection", new { group = Resource(group) }))
            .GetProperty("client_info")[0];
        var clientId = client.GetProperty("client_id").GetString();
        var subscription = (await CallAsync(console, "ListSubscription", new { group = Resource(group) }))
            .GetProperty("subscription_info")[0];
        var trace = await CallAsync(console, "PrintThreadStackTrace", new { client_id = clientId, group = Resource(group) });
        var verdict = await CallAsync(
            console,
            "VerifyMessage",
            new { client_id = clientId, group = Resource(group), topic = Resource(topic), message_id = sent.MessageId });

        Assert.Equal("NODE_JS", client.GetProperty("language").GetString());
        Assert.Equal("a", subscription.GetProperty("expression").GetProperty("expression").GetString());
        Assert.True(subscription.GetProperty("online").GetBoolean());
        Assert.Equal("OK", CodeOf(trace));
        Assert.Equal("mock stack", trace.GetProperty("thread_stack_trace").GetString());

        // What this library says to every message to verify.
        Assert.Equal("NOT_IMPLEMENTED", CodeOf(verdict));
    }

    [Fact]
    public async Task A_console_changes_what_a_running_node_logs()
    {
        var cluster = await clusters.GetAsync(1);
        await using var console = await SdkScript.StartAsync(
            "admin.mjs", cluster.Nodes[0].Address, Path.Combine(Repository.Root, "proto"));

        var first = await CallAsync(console, "ChangeLogLevel", new { level = "DEBUG" });
        var topic = clusters.NewName("topic");
        await cluster.CommandAsync("topic", "create", topic);
        await using var producer = await SdkScript.StartProducerAsync(cluster.Nodes[0].Address, topic);
        await Eventually.TrueAsync(
            "the log has an event of the level Debug",
            Patience,
            () => Task.FromResult(cluster.Nodes[0].Log.Contains("Telemetry of client", StringComparison.Ordinal)));
        var second = await CallAsync(console, "ChangeLogLevel", new { level = "INFO" });

        Assert.Contains("from Debug on", first.GetProperty("remark").GetString(), StringComparison.Ordinal);
        Assert.Contains("from Information on; it was Debug", second.GetProperty("remark").GetString(), StringComparison.Ordinal);
    }

    private static object Resource(string name) => new { name };

    private static string? CodeOf(JsonElement response) => response.GetProperty("status").GetProperty("code").GetString();

    private static Task<JsonElement> CallAsync(SdkScript console, string method, object request) =>
        console.AskAsync("call", new { method, request });
}
