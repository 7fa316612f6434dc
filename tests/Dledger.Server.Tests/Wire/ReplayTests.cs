using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

/// <summary>The replay of consumed messages, through a real node.</summary>
public sealed class ReplayTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Fact]
    public async Task Consumed_messages_of_a_selection_come_again_and_no_others()
    {
        var (topic, group) = await ConsumedAsync(6);

        var dry = await ReplayAsync(topic, group, request => (request.TagExpression, request.DryRun) = ("even", true));
        var done = await ReplayAsync(topic, group, request => request.TagExpression = "even");
        var again = await Client.ReceiveAsync(topic, group);
        var description = await Client.Admin.DescribeGroupAsync(new DescribeGroupRequest { Name = group }, Client.Options());

        Assert.Equal(AdminCode.AdminOk, dry.Status.Code);
        Assert.Equal(3, Assert.Single(dry.Queues).PutBackCount);
        Assert.Equal(3, Assert.Single(done.Queues).PutBackCount);
        Assert.Null(done.ContinueAt);
        Assert.Equal(["m0", "m2", "m4"], again.Select(message => message.Body.ToStringUtf8()));
        Assert.All(again, message => Assert.Equal(1, message.SystemProperties.DeliveryAttempt));
        Assert.Equal(6, Assert.Single(description.Queues).CommittedOffset);
        Assert.Equal(3, Assert.Single(description.Queues).LagCount);
    }

    [Fact]
    public async Task Sql_keys_ids_offsets_times_and_a_limit_select()
    {
        var (topic, group) = await ConsumedAsync(6);

        Assert.Equal(2, await CountAsync(topic, group, request => request.SqlExpression = "n IN ('1', '5')"));
        Assert.Equal(1, await CountAsync(topic, group, request => request.Keys.Add("k4")));
        Assert.Equal(0, await CountAsync(topic, group, request => request.MessageIds.Add("nobody's")));
        Assert.Equal(4, await CountAsync(topic, group, request => (request.QueueId, request.FirstOffset) = (0, 2)));
        Assert.Equal(5, await CountAsync(topic, group, request => request.Limit = 5));
        Assert.Equal(0, await CountAsync(topic, group, request => request.From = Timestamp.FromDateTime(DateTime.UtcNow.AddHours(1))));
        Assert.Equal(6, await CountAsync(topic, group, request => request.To = Timestamp.FromDateTime(DateTime.UtcNow.AddHours(1))));
    }

    public static TheoryData<string, AdminCode, string> Refusals => new()
    {
        { "group", AdminCode.AdminNotFound, "there is no consumer group 'nobody'" },
        { "topic", AdminCode.AdminNotFound, "nowhere" },
        { "queue", AdminCode.AdminInvalidArgument, "no queue 9" },
        { "both filters", AdminCode.AdminInvalidArgument, "'tag_expression' and 'sql_expression'" },
        { "sql", AdminCode.AdminInvalidArgument, "character" },
        { "offsets", AdminCode.AdminInvalidArgument, "name the queue" },
        { "keys", AdminCode.AdminInvalidArgument, "the limit is 100" },
        { "limit", AdminCode.AdminInvalidArgument, "the limit is -1" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_cannot_be_replayed_is_refused_by_name(string which, AdminCode code, string detail)
    {
        var (topic, group) = await ConsumedAsync(1);

        var response = await ReplayAsync(topic, group, request =>
        {
            switch (which)
            {
                case "group":
                    request.Group = "nobody";
                    break;
                case "topic":
                    request.Topic = "nowhere";
                    break;
                case "queue":
                    request.QueueId = 9;
                    break;
                case "both filters":
                    (request.TagExpression, request.SqlExpression) = ("a", "n = 1");
                    break;
                case "sql":
                    request.SqlExpression = "n LIKE 'x'";
                    break;
                case "offsets":
                    request.LastOffset = 4;
                    break;
                case "keys":
                    request.Keys.AddRange(Enumerable.Range(0, 101).Select(number => $"k{number}"));
                    break;
                default:
                    request.Limit = -1;
                    break;
            }
        });

        Assert.Equal(code, response.Status.Code);
        Assert.Contains(detail, response.Status.Message, StringComparison.Ordinal);
        Assert.Empty(response.Queues);
    }

    [Fact]
    public async Task A_replay_asked_of_a_follower_is_the_leader_s_and_outlives_it()
    {
        await using var cluster = await TestCluster.StartAsync();
        var follower = await cluster.FollowerAsync();
        var client = cluster.Client(follower);
        await client.SendAsync(client.Message("orders", "1"), client.Message("orders", "2"));
        foreach (var message in await client.ReceiveAsync("orders", "billing"))
        {
            await client.AckAsync("orders", "billing", message.SystemProperties.ReceiptHandle);
        }

        var done = await client.Offsets.ReplayGroupAsync(
            new ReplayGroupRequest { Group = "billing", Topic = "orders" }, client.Options());
        await cluster.StopNodeAsync(await cluster.LeaderAsync());
        await cluster.LeaderAsync();
        var again = new List<string>();
        while (again.Count < 2)
        {
            var messages = await client.ReceiveAsync("orders", "billing");
            again.AddRange(messages.Select(message => message.Body.ToStringUtf8()));
        }

        Assert.Equal(AdminCode.AdminOk, done.Status.Code);
        Assert.Equal(2, done.Queues.Sum(queue => queue.PutBackCount));
        Assert.Equal(["1", "2"], again.Order());
    }

    private async Task<(string Topic, string Group)> ConsumedAsync(int count)
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        for (var i = 0; i < count; i++)
        {
            await Client.SendAsync(Client.Message(topic, $"m{i}", message =>
            {
                message.SystemProperties.Tag = i % 2 == 0 ? "even" : "odd";
                message.SystemProperties.Keys.Add($"k{i}");
                message.UserProperties.Add("n", $"{i}");
            }));
        }

        for (var left = count; left > 0;)
        {
            var messages = await Client.ReceiveAsync(topic, group);
            await Client.AckAsync(topic, group, [.. messages.Select(message => message.SystemProperties.ReceiptHandle)]);
            left -= messages.Count;
        }

        return (topic, group);
    }

    private async Task<long> CountAsync(string topic, string group, Action<ReplayGroupRequest> select)
    {
        var response = await ReplayAsync(topic, group, request =>
        {
            request.DryRun = true;
            select(request);
        });
        Assert.Equal(AdminCode.AdminOk, response.Status.Code);
        return response.Queues.Sum(queue => queue.PutBackCount);
    }

    private async Task<ReplayGroupResponse> ReplayAsync(string topic, string group, Action<ReplayGroupRequest> change)
    {
        var request = new ReplayGroupRequest { Group = group, Topic = topic };
        change(request);
        return await Client.Offsets.ReplayGroupAsync(request, Client.Options());
    }
}
