using Dledger.Client.Administration;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Client.Tests.Nodes;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Client.Tests;

public sealed class AdminClientTests
{
    [Fact]
    public async Task Topics_groups_and_nodes_are_described_as_answered()
    {
        await using var node = await ScriptedNode.StartAsync();
        await using var channel = Channel(node);
        var admin = new AdminClient(channel);

        var topic = await admin.DescribeTopicAsync("orders");
        var group = await admin.DescribeGroupAsync("shippers");
        var cluster = await admin.DescribeClusterAsync();

        Assert.Equal(new TopicQueueRange(1, 10, 1_000), topic.Queues[1]);
        Assert.Equal([MessageType.Normal], topic.MessageTypes);
        Assert.Equal(new GroupQueueProgress("orders", 0, 100, 120, 5, 20), group.Queues[0]);
        Assert.Equal([Administration.NodeRole.Follower, Administration.NodeRole.Leader, Administration.NodeRole.Unreachable],
            cluster.Nodes.Select(described => described.Role));
        Assert.Equal(-1, cluster.Nodes[2].LagBytes);
    }

    [Fact]
    public async Task An_alteration_carries_what_it_says_and_a_retention_comes_back()
    {
        await using var node = await ScriptedNode.StartAsync();
        await using var channel = Channel(node);
        var admin = new AdminClient(channel);

        var altered = await admin.AlterTopicAsync(
            new TopicAlteration("t") { RetentionTime = TimeSpan.FromHours(2), RetentionBytes = 5 });
        var without = await admin.AlterTopicAsync(new TopicAlteration("t") { RetentionTime = TimeSpan.Zero });

        Assert.Equal((TimeSpan.FromHours(2), 5L), (altered.RetentionTime, altered.RetentionBytes));
        Assert.Null(without.RetentionTime);
        Assert.Null(without.RetentionBytes);
    }

    [Theory]
    [InlineData(AdminCode.AdminInvalidArgument, typeof(RequestRefusedException))]
    [InlineData(AdminCode.AdminAlreadyExists, typeof(RequestRefusedException))]
    [InlineData(AdminCode.AdminNotFound, typeof(ResourceNotFoundException))]
    [InlineData(AdminCode.AdminUnavailable, typeof(ClusterUnavailableException))]
    [InlineData(AdminCode.AdminBusy, typeof(ClusterUnavailableException))]
    [InlineData(AdminCode.AdminOutcomeUnknown, typeof(OutcomeUnknownException))]
    [InlineData(AdminCode.AdminInternal, typeof(ServerFaultException))]
    [InlineData(AdminCode.Unspecified, typeof(ServerFaultException))]
    public async Task Each_outcome_of_the_admin_service_becomes_its_exception_with_the_hint(AdminCode code, Type expected)
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Admin.Status = new AdminStatus { Code = code, Message = "the reason", Hint = "do this" };
        await using var channel = Channel(node);

        var failure = Assert.IsAssignableFrom<DledgerException>(
            await Assert.ThrowsAsync(expected, () => new AdminClient(channel).CreateTopicAsync(new TopicDescription("t", 1, []))));

        Assert.Contains("Creating topic 't'", failure.Summary);
        Assert.Contains("the reason", failure.Summary);
        Assert.Equal("do this", failure.Hint);
    }

    [Theory]
    [InlineData("")]
    [InlineData("host:port")]
    [InlineData("http://host:1/path")]
    [InlineData("ftp://host:1")]
    public void An_address_that_is_none_is_refused(string address) =>
        Assert.ThrowsAny<ArgumentException>(() => new DledgerChannel(new DledgerChannelOptions { Addresses = [address] }));

    [Theory]
    [InlineData("localhost", "localhost:8081")]
    [InlineData("10.0.0.1:80", "10.0.0.1:80")]
    [InlineData("https://node", "node:8081")]
    [InlineData("[::1]:9000", "[::1]:9000")]
    public void An_address_without_a_port_gets_the_usual_one(string text, string shown) =>
        Assert.Equal(shown, NodeAddress.Parse(text).ToString());

    private static DledgerChannel Channel(ScriptedNode node) =>
        new(new DledgerChannelOptions { Addresses = [node.Address], RetryTimeout = TimeSpan.Zero });
}
