using Dledger.Frontend.Calls;
using Dledger.Frontend.Messaging.Routing;
using Dledger.Frontend.Nodes;
using Dledger.Frontend.Tests.Calls;
using Dledger.Primitives;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Tests.Messaging;

public sealed class RouteEndpointsTests
{
    [Theory]
    [InlineData("JAVA", 2, "10.0.0.2 10.0.0.1 10.0.0.3")]
    [InlineData("GO", 1, "10.0.0.1 10.0.0.2 10.0.0.3")]
    [InlineData("", 0, "10.0.0.1 10.0.0.2 10.0.0.3")]
    [InlineData("HTTP", 2, "10.0.0.3")]
    [InlineData("node_js", 2, "10.0.0.3")]
    public void With_addresses_everybody_but_node_js_is_told_all_nodes_and_the_leader_first(
        string language, int leader, string expected) =>
        Assert.Equal((Wire.AddressScheme.Ipv4, expected), Ask(language, leader, "10.0.0.1", "10.0.0.2", "10.0.0.3"));

    [Theory]
    [InlineData("JAVA", 2, "b.example")]
    [InlineData("CPP", 0, "c.example")]
    [InlineData("HTTP", 2, "c.example")]
    public void With_names_a_client_is_told_exactly_one(string language, int leader, string expected) =>
        Assert.Equal(
            (Wire.AddressScheme.DomainName, expected), Ask(language, leader, "a.example", "b.example", "c.example"));

    [Fact]
    public void A_mixture_of_families_is_never_put_into_one_answer()
    {
        Assert.Equal((Wire.AddressScheme.Ipv6, "::2"), Ask("JAVA", 2, "10.0.0.1", "::2", "c.example"));
        Assert.Equal((Wire.AddressScheme.Ipv6, "::2 ::1 ::3"), Ask("JAVA", 2, "::1", "::2", "::3"));
    }

    [Fact]
    public void A_call_that_was_passed_on_counts_for_the_node_that_was_asked()
    {
        var forwarded = new Metadata.Entry(ClientHeaders.Forwarded, "1");

        Assert.Equal("10.0.0.1", Ask("HTTP", 3, ["10.0.0.1", "10.0.0.2", "10.0.0.3"], forwarded).Hosts);
    }

    private static (Wire.AddressScheme Scheme, string Hosts) Ask(string language, int leader, params string[] hosts) =>
        Ask(language, leader, hosts, []);

    /// <summary>Asks node 3 of a cluster at these hosts.</summary>
    private static (Wire.AddressScheme Scheme, string Hosts) Ask(
        string language, int leader, string[] hosts, params Metadata.Entry[] more)
    {
        var options = new FrontendOptions
        {
            Self = new NodeId(3),
            Nodes = [.. hosts.Select((host, index) => new FrontendNode(new NodeId(index + 1), host, 8081))],
        };
        var endpoints = new RouteEndpoints(options, new NodeDirectory(options, static () => []));
        Metadata.Entry[] headers = [new Metadata.Entry(ClientHeaders.Language, language), .. more];

        var answer = endpoints.For(new StubCallContext(headers).AsCall(), new NodeId(leader));

        return (answer.Scheme, string.Join(' ', answer.Addresses.Select(address => address.Host)));
    }
}
