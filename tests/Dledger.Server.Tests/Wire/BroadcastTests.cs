using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

/// <summary>Broadcast groups, through a real node: clients of the official libraries notice nothing but that each receives all.</summary>
public sealed class BroadcastTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Fact]
    public async Task Each_client_receives_every_message_and_the_group_shows_them_as_members()
    {
        var topic = await shared.NewTopicAsync();
        var group = await NewGroupAsync();
        using var first = new TestClient(Client.Port, "host@1@0@first");
        using var second = new TestClient(Client.Port, "host@2@0@second");
        await JoinAsync(first, topic, group);
        await JoinAsync(second, topic, group);
        await Client.SendAsync(Client.Message(topic, "news"));

        var one = Assert.Single(await first.ReceiveAsync(topic, group));
        var two = Assert.Single(await second.ReceiveAsync(topic, group));
        var acked = await first.AckAsync(topic, group, one.SystemProperties.ReceiptHandle);
        var description = await Client.Admin.DescribeGroupAsync(new DescribeGroupRequest { Name = group }, Client.Options());
        var list = await Client.Admin.ListGroupsAsync(new ListGroupsRequest(), Client.Options());

        Assert.Equal(("news", "news"), (one.Body.ToStringUtf8(), two.Body.ToStringUtf8()));
        Assert.Equal(Code.Ok, acked.Status.Code);
        Assert.True(description.Group.Broadcast);
        Assert.Equal(TimeSpan.FromMinutes(30), description.Group.MemberExpiry.ToTimeSpan());
        Assert.Empty(description.Queues);
        Assert.Equal(
            [("host@1@0@first", 0L), ("host@2@0@second", 1L)],
            description.BroadcastMembers.Select(member => (member.ClientId, member.Queues.Sum(queue => queue.LagCount))));
        Assert.Single(list.Groups, each => each.Name == group);
    }

    public static TheoryData<string, Code, string> WireRefusals => new()
    {
        { "get offset", Code.BadRequest, "each of its clients reads on its own" },
        { "update offset", Code.BadRequest, "each of its clients reads on its own" },
        { "foreign handle", Code.InvalidReceiptHandle, "another consumer group" },
    };

    [Theory]
    [MemberData(nameof(WireRefusals))]
    public async Task A_client_is_told_what_a_broadcast_group_cannot_do(string which, Code code, string detail)
    {
        var topic = await shared.NewTopicAsync();
        var group = await NewGroupAsync();
        await JoinAsync(Client, topic, group);
        await Client.SendAsync(Client.Message(topic));
        var queue = new MessageQueue { Topic = TestClient.Resource(topic), Id = 0 };

        var status = which switch
        {
            "get offset" => (await Client.Messaging.GetOffsetAsync(
                new GetOffsetRequest { Group = TestClient.Resource(group), MessageQueue = queue }, Client.Options())).Status,
            "update offset" => (await Client.Messaging.UpdateOffsetAsync(
                new UpdateOffsetRequest { Group = TestClient.Resource(group), MessageQueue = queue, Offset = 0 },
                Client.Options())).Status,
            _ => (await Client.AckAsync(
                topic,
                await NewGroupAsync(),
                (await Client.ReceiveAsync(topic, group))[0].SystemProperties.ReceiptHandle)).Entries[0].Status,
        };

        Assert.Equal(code, status.Code);
        Assert.Contains(detail, status.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> AdminRefusals => new()
    {
        { "alter", "create another group without broadcast" },
        { "alter plain", "create another group with broadcast" },
        { "exclusive", "cannot be exclusive" },
        { "park", "cannot park" },
        { "expiry", "members of a broadcast group shall end" },
        { "seek", "each of its clients reads on its own" },
        { "replay", "each of its clients reads on its own" },
    };

    [Theory]
    [MemberData(nameof(AdminRefusals))]
    public async Task An_operator_is_told_what_a_broadcast_group_cannot_do(string which, string detail)
    {
        var topic = await shared.NewTopicAsync();
        var group = await NewGroupAsync();
        var plain = await shared.NewGroupAsync();

        var status = which switch
        {
            "alter" => (await Client.Admin.AlterGroupAsync(
                new AlterGroupRequest { Name = group, Broadcast = false }, Client.Options())).Status,
            "alter plain" => (await Client.Admin.AlterGroupAsync(
                new AlterGroupRequest { Name = plain, Broadcast = true }, Client.Options())).Status,
            "exclusive" => await CreateAsync(new Group { Broadcast = true, Exclusive = true }),
            "park" => await CreateAsync(new Group { Broadcast = true, Poison = PoisonMode.PoisonPark }),
            "expiry" => await CreateAsync(
                new Group { Broadcast = true, MemberExpiry = Duration.FromTimeSpan(TimeSpan.FromDays(8)) }),
            "seek" => (await Client.Offsets.SeekGroupAsync(
                new SeekGroupRequest { Group = group, Topic = topic, End = QueueEnd.Earliest }, Client.Options())).Status,
            _ => (await Client.Offsets.ReplayGroupAsync(
                new ReplayGroupRequest { Group = group, Topic = topic }, Client.Options())).Status,
        };

        Assert.Equal(AdminCode.AdminInvalidArgument, status.Code);
        Assert.Contains(detail, status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Members_and_their_receipts_outlive_the_leader_and_a_client_may_ask_any_node()
    {
        await using var cluster = await TestCluster.StartAsync();
        var client = cluster.Client(await cluster.FollowerAsync());
        var created = await client.Admin.CreateGroupAsync(
            new CreateGroupRequest { Group = new Group { Name = "all", Broadcast = true } }, client.Options());
        await client.QueryRouteAsync("news");
        await JoinAsync(client, "news", "all");
        await client.SendAsync(client.Message("news", "1"), client.Message("news", "2"));
        var received = new List<Message>();
        while (received.Count < 2)
        {
            received.AddRange(await client.ReceiveAsync("news", "all"));
        }

        await cluster.StopNodeAsync(await cluster.LeaderAsync());
        await cluster.LeaderAsync();
        var acked = await client.AckAsync(
            "news", "all", [.. received.Select(message => message.SystemProperties.ReceiptHandle)]);
        await client.SendAsync(client.Message("news", "3"));
        var next = new List<string>();
        while (next.Count == 0)
        {
            next.AddRange((await client.ReceiveAsync("news", "all")).Select(message => message.Body.ToStringUtf8()));
        }

        Assert.Equal(AdminCode.AdminOk, created.Status.Code);
        Assert.Equal(Code.Ok, acked.Status.Code);
        Assert.Equal(["3"], next);
    }

    private async Task<AdminStatus> CreateAsync(Group group)
    {
        group.Name = SharedNode.NewName("group");
        return (await Client.Admin.CreateGroupAsync(new CreateGroupRequest { Group = group }, Client.Options())).Status;
    }

    private async Task<string> NewGroupAsync()
    {
        var group = new Group { Broadcast = true };
        var status = await CreateAsync(group);
        Assert.Equal(AdminCode.AdminOk, status.Code);
        return group.Name;
    }

    // A new member begins at the end of its topic: it has to be there before the first message.
    private static async Task JoinAsync(TestClient client, string topic, string group) => Assert.Empty(await client.ReceiveAsync(
        topic, group, request => request.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(300))));
}
