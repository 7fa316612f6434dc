using Dledger.Broker.Tests.Simulation;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Disks;
using Dledger.Testing.Disks;

namespace Dledger.Broker.Tests.Retention;

public sealed class DiskHandOverTests
{
    private static readonly BrokerOptions Options = new() { AutoCreateTopics = true };

    [Theory]
    [InlineData(79, 10, 3)]
    [InlineData(79, 80, 2)]
    [InlineData(50, 50, 2)]
    [InlineData(80, 97, null)]
    public void A_leader_with_a_nearly_full_disk_hands_over_to_the_node_with_the_most_room(int second, int third, int? target)
    {
        var broker = NearlyFull();
        broker.Log.Peers = [Peer(2, second), Peer(3, third)];

        broker.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(target, broker.Log.Transfers.SingleOrDefault()?.Value);
    }

    [Fact]
    public void Between_two_attempts_lie_two_minutes_also_when_it_led_no_more_in_between()
    {
        var broker = NearlyFull();
        broker.Log.Peers = [Peer(2, 10)];
        broker.Advance(TimeSpan.FromSeconds(100));
        Assert.Single(broker.Log.Transfers);

        broker.Log.LoseLeadership();
        broker.Log.Lead();
        broker.Advance(TimeSpan.FromSeconds(15));
        Assert.Single(broker.Log.Transfers);
        broker.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(2, broker.Log.Transfers.Count);
    }

    [Fact]
    public void Nobody_is_asked_who_is_not_connected_or_did_not_say_how_full_its_disk_is()
    {
        var broker = NearlyFull();
        broker.Log.Peers = [Peer(2, 10) with { IsConnected = false }, Peer(3, null)];

        broker.Advance(TimeSpan.FromSeconds(10));

        Assert.Empty(broker.Log.Transfers);
    }

    [Fact]
    public void A_leader_with_room_keeps_the_leadership()
    {
        var broker = new TestBroker(Options, new SimulatedDisk(seed: 1) { CapacityBytes = 100 << 20 });
        broker.Log.Peers = [Peer(2, 0), Peer(3, 99)];

        broker.Advance(TimeSpan.FromSeconds(10));

        Assert.Empty(broker.Log.Transfers);
    }

    [Theory]
    [InlineData(97, 96, false)]
    [InlineData(97, 99, true)]
    [InlineData(96, 0, false)]
    public async Task Messages_are_refused_when_no_majority_has_room_for_them_and_taken_again_when_one_has(
        int second, int third, bool isRefused)
    {
        var broker = new TestBroker(Options);
        await broker.Send("t", "before");
        broker.Log.Peers = [Peer(2, second), Peer(3, third)];
        broker.Advance(TimeSpan.FromSeconds(2));

        var outcome = await broker.Run(node => node.AppendAsync("t", [TestBroker.Draft("m")], CancellationToken.None));

        Assert.Equal(isRefused ? BrokerError.DiskFull : null, outcome.Failure?.Error);
        var message = (await broker.Receive("g", "t"))[0];
        Assert.Null(await broker.Ack("g", "t", message));
        broker.Log.Peers = [Peer(2, 10), Peer(3, 10)];
        broker.Advance(TimeSpan.FromSeconds(2));
        await broker.Send("t", "after");
    }

    private static TestBroker NearlyFull()
    {
        var disk = new SimulatedDisk(seed: 1) { CapacityBytes = 100 << 20 };
        var broker = new TestBroker(Options, disk);
        using var file = disk.Open("ballast", DiskOpenMode.CreateNew);
        file.Allocate(95 << 20);
        return broker;
    }

    private static PeerStatus Peer(int node, int? usedPercent) =>
        new(new NodeId(node), true, LogPosition.Zero, 0, TimeSpan.Zero, usedPercent);
}
