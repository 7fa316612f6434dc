using System.Diagnostics;
using System.Text.Json;
using Apache.Rocketmq.V2;
using Dledger.Frontend;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Level = Apache.Rocketmq.V2.ChangeLogLevelRequest.Types.Level;

namespace Dledger.Server.Tests.Wire;

/// <summary>RocketMQ's administration: topics, and the node itself.</summary>
public sealed class RocketAdminTopicTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private Admin.AdminClient Admin => shared.Client.RocketAdmin;

    [Fact]
    public async Task A_topic_is_described_with_its_one_type_and_its_creation()
    {
        var topic = await shared.NewTopicAsync(2, MessageType.Fifo);
        await shared.Client.SendAsync(shared.Client.Message(topic, change: m => m.SystemProperties.MessageGroup = "g"));

        var described = await Admin.DescribeTopicStatusAsync(
            new() { Topic = TestClient.Resource(topic) }, shared.Client.Options());

        Assert.Equal(Code.Ok, described.Status.Code);
        Assert.Equal(MessageType.Fifo, described.TopicMessageType);
        Assert.True(described.CreateTimestamp.ToDateTime() > DateTime.UtcNow - TimeSpan.FromMinutes(10));
        Assert.False(described.HasDescription);
        Assert.Equal("FIFO", described.Tags["message.type"]);
        Assert.Equal("2", described.Tags["queue.count"]);
        Assert.Equal("1", described.Tags["message.count"]);
    }

    [Fact]
    public async Task A_topic_of_several_types_has_them_in_its_tags()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Normal, MessageType.Delay);

        var described = await Admin.DescribeTopicStatusAsync(
            new() { Topic = TestClient.Resource(topic) }, shared.Client.Options());

        Assert.Equal(MessageType.Unspecified, described.TopicMessageType);
        Assert.Equal("NORMAL,DELAY", described.Tags["message.type"]);
    }

    [Fact]
    public async Task A_route_comes_as_the_json_of_name_servers()
    {
        var topic = await shared.NewTopicAsync(3);

        var route = await Admin.GetTopicRouteAsync(
            new() { Topic = TestClient.Resource(topic), ProtocolType = "grpc" }, shared.Client.Options());

        Assert.Equal(Code.Ok, route.Status.Code);
        using var json = JsonDocument.Parse(route.TopicRouteData);
        var broker = json.RootElement.GetProperty("brokerDatas")[0];
        Assert.Equal("dledger-0", broker.GetProperty("brokerName").GetString());
        Assert.EndsWith(
            $":{shared.Client.Port}", broker.GetProperty("brokerAddrs").GetProperty("0").GetString(), StringComparison.Ordinal);
        var queues = json.RootElement.GetProperty("queueDatas")[0];
        Assert.Equal(3, queues.GetProperty("readQueueNums").GetInt32());
        Assert.Equal(3, queues.GetProperty("writeQueueNums").GetInt32());
    }

    [Fact]
    public async Task Who_looks_at_a_topic_does_not_create_it()
    {
        var name = SharedNode.NewName("absent");

        var described = await Admin.DescribeTopicStatusAsync(
            new() { Topic = TestClient.Resource(name) }, shared.Client.Options());
        var route = await Admin.GetTopicRouteAsync(new() { Topic = TestClient.Resource(name) }, shared.Client.Options());

        Assert.Equal(Code.TopicNotFound, described.Status.Code);
        Assert.Equal(Code.TopicNotFound, route.Status.Code);
        Assert.Equal("", route.TopicRouteData);
    }

    [Fact]
    public async Task Figures_of_the_node_count_its_clients_and_messages()
    {
        await using var node = await TestNode.StartAsync();
        using var consumer = new TestClient(node.Client.Port, "consumer");
        using var stream = await RocketAdminStream.OpenAsync(consumer, "billing", "orders", _ => []);
        await node.Client.SendAsync(node.Client.Message("orders"));
        await node.Client.ReceiveAsync("orders", "billing");

        GetProxyRuntimeStatsResponse stats;
        var clock = Stopwatch.StartNew();
        do
        {
            stats = await node.Client.RocketAdmin.GetProxyRuntimeStatsAsync(new(), node.Client.Options());
        }
        while ((stats.InTps == 0 || stats.OutTps == 0) && clock.Elapsed < TimeSpan.FromSeconds(20));

        Assert.Equal(Code.Ok, stats.Status.Code);
        Assert.Equal("dledger-0-node-1", stats.ProxyName);
        Assert.Equal(3, stats.Version.Split('.').Length);
        Assert.Equal((1L, 0L, 1L), (stats.Connections, stats.Producers, stats.Consumers));
        Assert.InRange(stats.InTps, 0.05, 1);
        Assert.InRange(stats.OutTps, 0.05, 1);
    }

    [Theory]
    [InlineData(Level.Trace, LogLevel.Trace)]
    [InlineData(Level.Debug, LogLevel.Debug)]
    [InlineData(Level.Info, LogLevel.Information)]
    [InlineData(Level.Warn, LogLevel.Warning)]
    [InlineData(Level.Error, LogLevel.Error)]
    public async Task The_log_level_of_the_node_changes_while_it_runs(Level asked, LogLevel expected)
    {
        var levels = new LogLevels(LogLevel.Critical);
        await using var node = await TestNode.StartAsync(adjust: frontend => frontend with { LogLevels = levels });

        var response = await node.Client.RocketAdmin.ChangeLogLevelAsync(new() { Level = asked }, node.Client.Options());

        Assert.Equal(expected, levels.Least);
        Assert.True(levels.Allows(expected));
        Assert.False(levels.Allows(expected - 1));
        Assert.Contains($"{expected}", response.Remark, StringComparison.Ordinal);
        Assert.Contains("Critical", response.Remark, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_level_that_does_not_exist_changes_nothing()
    {
        var levels = new LogLevels(LogLevel.Warning);
        await using var node = await TestNode.StartAsync(adjust: frontend => frontend with { LogLevels = levels });

        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
            await node.Client.RocketAdmin.ChangeLogLevelAsync(new() { Level = (Level)5 }, node.Client.Options()));

        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.Contains("'level' is 5", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(LogLevel.Warning, levels.Least);
    }

    [Fact]
    public async Task A_program_that_decides_on_its_log_itself_refuses_another_level()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
            await Admin.ChangeLogLevelAsync(new() { Level = Level.Error }, shared.Client.Options()));

        Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
    }
}
