using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Conformance.Tests.Nodes;

/// <summary>What a test prepares before it speaks RocketMQ's protocol, which has no calls for it.</summary>
internal static class Administration
{
    public static async Task<string> NewTopicAsync(TestClient client, int queues = 1, params MessageType[] types)
    {
        var topic = new Topic { Name = Unique.Name("topic"), QueueCount = queues };
        topic.AcceptMessageTypes.AddRange(types);
        var response = await client.Admin.CreateTopicAsync(new CreateTopicRequest { Topic = topic }, client.Options());
        Assert.True(response.Status.Code == AdminCode.AdminOk, $"{response.Status}");
        return topic.Name;
    }

    public static async Task<string> NewGroupAsync(TestClient client, bool fifo = false, int attemptsMax = 0)
    {
        var group = new Group { Name = Unique.Name("group"), Fifo = fifo, MaxAttempts = attemptsMax };
        var response = await client.Admin.CreateGroupAsync(new CreateGroupRequest { Group = group }, client.Options());
        Assert.True(response.Status.Code == AdminCode.AdminOk, $"{response.Status}");
        return group.Name;
    }
}
