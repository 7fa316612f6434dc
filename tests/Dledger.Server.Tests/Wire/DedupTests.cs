using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

public sealed class DedupTests
{
    [Fact]
    public async Task A_group_that_remembers_keys_is_delivered_one_message_of_each()
    {
        await using var node = await TestNode.StartAsync();
        var client = node.Client;
        var created = await CreateAsync(client, new GroupDedup { By = DedupBy.Key, Window = Duration.FromTimeSpan(TimeSpan.FromMinutes(5)) });
        await client.SendAsync(client.Message("orders", "first", message => message.SystemProperties.Keys.Add("k1")));
        var first = Assert.Single(await client.ReceiveAsync("orders", "billing"));
        await client.AckAsync("orders", "billing", first.SystemProperties.ReceiptHandle);
        await client.SendAsync(client.Message("orders", "repeat", message => message.SystemProperties.Keys.Add("k1")));
        await client.SendAsync(client.Message("orders", "other", message => message.SystemProperties.Keys.Add("k2")));

        var received = Assert.Single(await client.ReceiveAsync("orders", "billing"));
        var described = await client.Admin.DescribeGroupAsync(new DescribeGroupRequest { Name = "billing" }, client.Options());

        Assert.Equal((AdminCode.AdminOk, 100_000L), (created.Status.Code, created.Group.Dedup.Count));
        Assert.Equal("other", received.Body.ToStringUtf8());
        Assert.Equal((1L, 1L, 300L), (described.Group.Dedup.Repeats, described.Group.Dedup.Remembered, described.Group.Dedup.Window.Seconds));
    }

    [Fact]
    public async Task What_is_not_named_in_a_change_stays_and_nothing_ends_it()
    {
        await using var node = await TestNode.StartAsync();
        var client = node.Client;
        await CreateAsync(client, new GroupDedup { By = DedupBy.Property, Property = "order", Count = 7 });

        var altered = await client.Admin.AlterGroupAsync(
            new AlterGroupRequest { Name = "billing", Dedup = new GroupDedup { Window = new Duration { Seconds = 60 } } }, client.Options());
        var ended = await client.Admin.AlterGroupAsync(
            new AlterGroupRequest { Name = "billing", Dedup = new GroupDedup { By = DedupBy.Nothing } }, client.Options());

        Assert.Equal(
            (DedupBy.Property, "order", 60L, 7L),
            (altered.Group.Dedup.By, altered.Group.Dedup.Property, altered.Group.Dedup.Window.Seconds, altered.Group.Dedup.Count));
        Assert.Null(ended.Group.Dedup);
    }

    [Theory]
    [InlineData((DedupBy)9, "", 60, 1, "key source 8")]
    [InlineData(DedupBy.Property, "", 60, 1, "user property")]
    [InlineData(DedupBy.MessageId, "order", 60, 1, "user property")]
    [InlineData(DedupBy.Key, "", -1, 1, "1 s to 7 days")]
    [InlineData(DedupBy.Key, "", 604_801, 1, "1 s to 7 days")]
    [InlineData(DedupBy.Key, "", 60, 1_000_001, "1 to 1000000")]
    public async Task What_cannot_be_remembered_is_refused_with_the_bound(
        DedupBy by, string property, long seconds, long count, string detail)
    {
        await using var node = await TestNode.StartAsync();
        var client = node.Client;

        var refused = await CreateAsync(
            client, new GroupDedup { By = by, Property = property, Window = new Duration { Seconds = seconds }, Count = count });
        var listed = await client.Admin.ListGroupsAsync(new ListGroupsRequest(), client.Options());

        Assert.Equal(AdminCode.AdminInvalidArgument, refused.Status.Code);
        Assert.Contains(detail, refused.Status.Message, StringComparison.Ordinal);
        Assert.Empty(listed.Groups);
    }

    [Theory]
    [InlineData(256, 0, Code.IllegalMessageId, "255")]
    [InlineData(10, 16_385, Code.MessagePropertiesTooLarge, "16384")]
    public async Task A_key_that_is_too_long_is_refused_when_its_message_is_sent(int idLength, int keyLength, Code expected, string bound)
    {
        await using var node = await TestNode.StartAsync();
        var client = node.Client;
        var message = client.Message("orders", "body", message =>
        {
            message.SystemProperties.MessageId = new string('i', idLength);
            message.SystemProperties.Keys.Add(new string('k', Math.Max(1, keyLength)));
        });

        var refused = await client.SendAsync(message);

        Assert.Equal(expected, refused.Status.Code);
        Assert.Contains(bound, refused.Status.Message, StringComparison.Ordinal);
    }

    private static async Task<CreateGroupResponse> CreateAsync(TestClient client, GroupDedup dedup) =>
        await client.Admin.CreateGroupAsync(
            new CreateGroupRequest { Group = new Group { Name = "billing", Dedup = dedup } }, client.Options());
}
