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
}
