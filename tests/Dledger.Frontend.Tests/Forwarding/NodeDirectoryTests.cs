using Dledger.Frontend.Nodes;
using Dledger.Primitives;
using Dledger.Replication;

namespace Dledger.Frontend.Tests.Forwarding;

public sealed class NodeDirectoryTests
{
    private static readonly FrontendOptions Options = new()
    {
        Self = new NodeId(1),
        Nodes =
        [
            new FrontendNode(new NodeId(1), "10.0.0.1", 8081), new FrontendNode(new NodeId(2), "10.0.0.2", 8081),
        ],
    };

    [Fact]
    public void Before_the_log_is_open_the_nodes_are_those_of_the_options()
    {
        var directory = new NodeDirectory(Options, static () => []);

        Assert.Equal(["10.0.0.1:8081", "10.0.0.2:8081"], Addresses(directory));
        Assert.Null(directory.Find(new NodeId(3)));
    }

    [Fact]
    public void A_member_that_the_options_do_not_name_is_found_where_it_says_that_it_is()
    {
        var directory = new NodeDirectory(Options, () => [Member(1, "elsewhere:1"), Member(3, "node3.example:8081"), Member(4, "")]);

        Assert.Equal(["10.0.0.1:8081", "node3.example:8081"], Addresses(directory));
        Assert.Equal("node3.example", directory.Find(new NodeId(3))!.ClientHost);
        Assert.Null(directory.Find(new NodeId(4)));
    }

    [Fact]
    public void A_node_that_left_is_still_found_but_is_no_member()
    {
        IReadOnlyList<MemberStatus> members = [Member(1, ""), Member(2, "")];
        var directory = new NodeDirectory(Options, () => members);
        Assert.Equal(2, directory.Members.Count);

        members = [Member(1, "")];

        Assert.Equal(["10.0.0.1:8081"], Addresses(directory));
        Assert.Equal("10.0.0.2:8081", directory.Find(new NodeId(2))!.ClientAddress);
    }

    [Theory]
    [InlineData("[::4]:9000", "[::4]:9000")]
    [InlineData("10.0.0.4:9000", "10.0.0.4:9000")]
    [InlineData("nonsense", null)]
    [InlineData("host:port", null)]
    public void An_address_of_any_family_is_understood_and_nonsense_left_out(string address, string? found)
    {
        var directory = new NodeDirectory(Options, () => [Member(1, ""), Member(4, address)]);

        Assert.Equal(found, directory.Find(new NodeId(4))?.ClientAddress);
    }

    private static IEnumerable<string> Addresses(NodeDirectory directory) =>
        directory.Members.Select(node => node.ClientAddress);

    private static MemberStatus Member(int node, string clientAddress) =>
        new(new NodeId(node), Guid.Empty, MemberRole.Voter, $"10.0.0.{node}:9081", clientAddress);
}
