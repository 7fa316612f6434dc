using Dledger.Client.Connections;
using Dledger.Client.Consuming;
using Dledger.Client.Producing;
using Dledger.Client.Tests.Nodes;

namespace Dledger.Client.Tests;

/// <summary>A node that passes a call on tells where the leader is.</summary>
public sealed class LeaderHintTests
{
    private static readonly OutgoingMessage Hello = new("greetings", "hello"u8.ToArray());

    [Fact]
    public async Task Calls_go_to_the_leader_once_a_node_has_told_where_it_is()
    {
        await using var follower = await ScriptedNode.StartAsync();
        await using var leader = await ScriptedNode.StartAsync();
        follower.Messaging.Leader = leader.Address;
        await using var channel = Channel(follower.Address);
        var producer = new Producer(channel);

        await producer.SendAsync(Hello);
        await producer.SendAsync(Hello);
        await producer.SendAsync(Hello);

        Assert.Equal((1, 2), (follower.Messaging.Requests.Count, leader.Messaging.Requests.Count));
    }

    [Fact]
    public async Task An_empty_receive_tells_it_too()
    {
        await using var follower = await ScriptedNode.StartAsync();
        await using var leader = await ScriptedNode.StartAsync();
        follower.Messaging.Leader = leader.Address;
        await using var channel = Channel(follower.Address);
        var consumer = new SimpleConsumer(channel, "g");

        await consumer.ReceiveAsync("greetings");
        await consumer.ReceiveAsync("greetings");

        Assert.Single(leader.Messaging.Requests);
    }

    [Fact]
    public async Task A_leader_that_cannot_be_reached_is_left_for_the_given_address_and_not_tried_again_soon()
    {
        await using var follower = await ScriptedNode.StartAsync();
        follower.Messaging.Leader = await ScriptedNode.DeadAddressAsync();
        await using var channel = Channel(follower.Address);
        var producer = new Producer(channel);

        for (var sent = 0; sent < 4; sent++)
        {
            await producer.SendAsync(Hello);
        }

        Assert.Equal(4, follower.Messaging.Requests.Count);
        Assert.Equal(follower.Address, channel.NodeFor(null).Address.ToString());
    }

    [Fact]
    public async Task What_is_no_address_is_not_followed()
    {
        await using var follower = await ScriptedNode.StartAsync();
        follower.Messaging.Leader = "no address/at all";
        await using var channel = Channel(follower.Address);
        var producer = new Producer(channel);

        await producer.SendAsync(Hello);
        await producer.SendAsync(Hello);

        Assert.Equal(2, follower.Messaging.Requests.Count);
    }

    [Fact]
    public async Task The_leader_of_a_cluster_with_tls_is_spoken_to_with_tls()
    {
        await using var channel = Channel("https://127.0.0.1:1");

        Assert.Equal("https://127.0.0.1:2/", channel.NodeFor("127.0.0.1:2").Address.Uri.ToString());
    }

    private static DledgerChannel Channel(string address) =>
        new(new DledgerChannelOptions { Addresses = [address], RetryTimeout = TimeSpan.Zero });
}
