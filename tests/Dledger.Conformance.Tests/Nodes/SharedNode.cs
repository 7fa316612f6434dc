using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Conformance.Tests.Nodes;

/// <summary>One node of the built program for all classes of tests; each test takes topics and groups of its own.</summary>
public sealed class SharedNode : IAsyncLifetime
{
    private static readonly SharedCluster One = new(1);

    internal TestClient Client { get; private set; } = null!;

    internal NodeProcess Node { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var cluster = await One.TakeAsync();
        Node = cluster.Nodes[0];
        Client = new TestClient(Node.ClientPort);
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await One.ReturnAsync();
    }

    /// <summary>Another client of the same node.</summary>
    internal TestClient NewClient(string language = "JAVA") => new(Node.ClientPort, Unique.Name("client"), language);

    internal Task<string> NewTopicAsync(int queues = 1, params MessageType[] types) =>
        Administration.NewTopicAsync(Client, queues, types);

    internal Task<string> NewGroupAsync(bool fifo = false, int attemptsMax = 0) =>
        Administration.NewGroupAsync(Client, fifo, attemptsMax);

    /// <summary>A topic of one queue, a group, and so many messages "0", "1", ... in it.</summary>
    internal async Task<(string Topic, string Group)> PrepareAsync(int messages, int attemptsMax = 0)
    {
        var topic = await NewTopicAsync();
        var group = await NewGroupAsync(attemptsMax: attemptsMax);
        for (var index = 0; index < messages; index++)
        {
            Assert.Equal(Code.Ok, (await Client.SendAsync(Client.Message(topic, $"{index}"))).Status.Code);
        }

        return (topic, group);
    }

    /// <summary>All that the node says of a topic and a group: what a refused call must leave as it is.</summary>
    internal async Task<string> StateAsync(string topic, string group)
    {
        var described = await Client.Admin.DescribeTopicAsync(new DescribeTopicRequest { Name = topic }, Client.Options());
        var members = await Client.Admin.DescribeGroupAsync(new DescribeGroupRequest { Name = group }, Client.Options());

        // Who lives is what the leader heard of lately, no state; it may hear of a receive a moment after that is answered.
        members.Members.Clear();
        var topics = await Client.Admin.ListTopicsAsync(new ListTopicsRequest { IncludeInternal = true }, Client.Options());
        var dead = topics.Topics.Where(one => one.Name.Contains(group, StringComparison.Ordinal));
        return $"{described}\n{members}\n{string.Join(", ", dead)}";
    }
}
