using Apache.Rocketmq.V2;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

/// <summary>RocketMQ's administration: any node answers, wherever the leader and the clients are.</summary>
public sealed class RocketAdminClusterTests
{
    [Fact]
    public async Task Every_node_answers_for_the_leader_and_for_clients_of_other_nodes()
    {
        await using var cluster = await TestCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var followers = cluster.Running.Where(node => node != leader).ToArray();
        var client = cluster.Client(leader);
        var sent = client.Message("orders", "body");
        await client.SendAsync(sent);
        await client.ReceiveAsync("orders", "billing");
        var consumer = cluster.Client(followers[0], "GO");
        using var stream = await RocketAdminStream.OpenAsync(consumer, "billing", "orders", command => command.CommandCase
            == TelemetryCommand.CommandOneofCase.VerifyMessageCommand
                ? RocketAdminDiagnosticTests.Verdict(command, Code.Ok)
                : RocketAdminDiagnosticTests.Trace(command));

        foreach (var node in cluster.Running)
        {
            await AskAsync(cluster.Client(node, "CONSOLE"), consumer.ClientId, sent.SystemProperties.MessageId);
        }

        Assert.Equal(2 * cluster.Running.Count(), stream.Commands.Count);
    }

    [Fact]
    public async Task A_node_that_cannot_be_asked_is_named_instead_of_taken_for_one_without_clients()
    {
        await using var cluster = await TestCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var stopped = cluster.Running.First(node => node != leader);
        var client = cluster.Client(leader);
        await client.SendAsync(client.Message("orders"));
        await client.ReceiveAsync("orders", "billing");
        await cluster.StopNodeAsync(stopped);
        await cluster.LeaderAsync();

        var connections = await client.RocketAdmin.ListConsumerConnectionAsync(
            new() { Group = TestClient.Resource("billing") }, client.Options());
        var trace = await client.RocketAdmin.PrintThreadStackTraceAsync(new() { ClientId = "absent" }, client.Options());

        Assert.Equal(Code.Ok, connections.Status.Code);
        Assert.Contains($"node {stopped}", connections.Status.Message, StringComparison.Ordinal);
        Assert.Equal(client.ClientId, Assert.Single(connections.ClientInfo).ClientId);
        Assert.Equal(Code.ProxyTimeout, trace.Status.Code);
        Assert.Contains($"node {stopped}", trace.Status.Message, StringComparison.Ordinal);
    }

    private static async Task AskAsync(TestClient console, string consumer, string messageId)
    {
        var admin = console.RocketAdmin;
        var options = console.Options();
        var (topic, group) = (TestClient.Resource("orders"), TestClient.Resource("billing"));
        var connections = await admin.ListConsumerConnectionAsync(new() { Group = group }, options);
        Status[] answers =
        [
            connections.Status,
            (await admin.DescribeTopicStatusAsync(new() { Topic = topic }, options)).Status,
            (await admin.ListSubscriptionAsync(new() { Group = group }, options)).Status,
            (await admin.DescribeSubscriptionAsync(new() { Topic = topic }, options)).Status,
            (await admin.DescribeGroupAccumulationAsync(new() { Group = group }, options)).Status,
            (await admin.QueryTimeSpanAsync(new() { Group = group }, options)).Status,
            (await admin.QueryMessageAsync(new() { Topic = topic, MessageId = messageId }, options)).Status,
            (await admin.GetTopicRouteAsync(new() { Topic = topic }, options)).Status,
            (await admin.GetConsumerRunningInfoAsync(new() { Group = group, ClientId = consumer }, options)).Status,
            (await admin.PrintThreadStackTraceAsync(new() { ClientId = consumer, Group = group }, options)).Status,
            (await admin.VerifyMessageAsync(
                new() { ClientId = consumer, Group = group, Topic = topic, MessageId = messageId }, options)).Status,
            (await admin.ResetGroupOffsetAsync(
                new() { Group = group, Topic = topic, ResetTimestamp = Timestamp.FromDateTime(DateTime.UtcNow) }, options)).Status,
            (await admin.AdminSendMessageAsync(
                new() { Topic = topic, Body = Google.Protobuf.ByteString.CopyFromUtf8("by hand") }, options)).Status,
            (await admin.GetProxyRuntimeStatsAsync(new(), options)).Status,
        ];

        Assert.All(answers, status => Assert.True(status.Code == Code.Ok, $"{status}"));
        Assert.Contains(connections.ClientInfo, client => client.ClientId == consumer && client.Version == "5.1.2");
    }
}
