using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Server.Tests.Wire;

/// <summary>One node for all tests of a class; each test takes topics and groups of its own.</summary>
public sealed class SharedNode : IAsyncLifetime
{
    private static int _nameCount;
    private TestNode? _node;

    internal TestNode Node => _node!;

    internal TestClient Client => Node.Client;

    public async Task InitializeAsync() => _node = await TestNode.StartAsync(
        adjust: frontend => frontend with
        {
            SettingsRepeats = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(150)],
        });

    public async Task DisposeAsync() => await Node.DisposeAsync();

    /// <summary>A name that no other test uses.</summary>
    internal static string NewName(string prefix) => $"{prefix}{Interlocked.Increment(ref _nameCount)}";

    /// <summary>A new topic; by default one queue, so that order and batches can be foretold.</summary>
    internal async Task<string> NewTopicAsync(int queueCount = 1, params MessageType[] types)
    {
        var topic = new Topic { Name = NewName("topic"), QueueCount = queueCount };
        topic.AcceptMessageTypes.AddRange(types);
        var response = await Client.Admin.CreateTopicAsync(new CreateTopicRequest { Topic = topic }, Client.Options());
        Assert.Equal(AdminCode.AdminOk, response.Status.Code);
        return topic.Name;
    }

    /// <summary>A new consumer group.</summary>
    internal async Task<string> NewGroupAsync(bool fifo = false, int maxAttempts = 0)
    {
        var group = new Group { Name = NewName("group"), Fifo = fifo, MaxAttempts = maxAttempts };
        var response = await Client.Admin.CreateGroupAsync(new CreateGroupRequest { Group = group }, Client.Options());
        Assert.Equal(AdminCode.AdminOk, response.Status.Code);
        return group.Name;
    }

    /// <summary>How many messages the topic holds.</summary>
    internal async Task<long> StoredCountAsync(string topic)
    {
        var response = await Client.Admin.DescribeTopicAsync(
            new DescribeTopicRequest { Name = topic }, Client.Options());
        return response.Queues.Sum(queue => queue.MaxOffset - queue.MinOffset);
    }
}
