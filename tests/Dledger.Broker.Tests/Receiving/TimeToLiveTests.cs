using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Receiving;

public sealed class TimeToLiveTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_message_that_lived_too_long_is_finished_without_delivery()
    {
        var broker = await Prepare(ExpiryMode.Drop);
        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal("lasting", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));

        var queue = Assert.Single((await broker.Run(node => node.DescribeGroupAsync("g", None))).Group!.Queues);
        Assert.Equal((1, 1), (queue.Lag, queue.InFlight));
        Assert.Null(broker.Node.FindTopic("%DLQ%g"));
    }

    [Fact]
    public async Task A_message_that_lived_too_long_becomes_a_dead_letter_where_the_group_says_so()
    {
        var broker = await Prepare(ExpiryMode.DeadLetter);
        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal("lasting", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));

        var dead = Assert.Single(await broker.Receive("watch", "%DLQ%g"));
        Assert.Equal(("short", DeadLetterReason.Expired), (TestBroker.Text(dead), dead.DeadLetterOrigin!.Value.Reason));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_message_whose_time_is_not_over_is_delivered()
    {
        var broker = await Prepare(ExpiryMode.Drop);
        broker.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal(["short", "lasting"], (await broker.Receive("g", "t")).Select(TestBroker.Text));
    }

    [Fact]
    public async Task A_message_lives_by_log_time_when_the_wall_clock_jumps()
    {
        var broker = await Prepare(ExpiryMode.Drop);

        // The machine's clock goes an hour ahead; log time hardly follows.
        broker.Advance(TimeSpan.FromSeconds(1));
        broker.Log.LogTimeBehind = 3_600_000_000;
        broker.Advance(TimeSpan.FromHours(1));

        Assert.Equal(["short", "lasting"], (await broker.Receive("g", "t")).Select(TestBroker.Text));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("soon")]
    [InlineData("99999999999999999999")]
    public async Task A_time_to_live_that_is_none_is_refused(string value)
    {
        var broker = new TestBroker();
        var draft = TestBroker.Draft("m") with
        {
            UserProperties = [KeyValuePair.Create(TimeToLive.Property, value)],
        };

        var outcome = await broker.Run(node => node.AppendAsync("t", [draft], None));

        Assert.Equal(BrokenRule.PropertyKey, outcome.Failure?.Rule);
        Assert.Contains(TimeToLive.Property, outcome.Failure!.Value.Detail, StringComparison.Ordinal);
    }

    private static async Task<TestBroker> Prepare(ExpiryMode mode)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { Expiry = mode } });
        var draft = TestBroker.Draft("short") with
        {
            UserProperties = [KeyValuePair.Create(TimeToLive.Property, "5000")],
        };
        Assert.True((await broker.Run(node => node.AppendAsync("t", [draft], None))).Succeeded);
        await broker.Send("t", "lasting");
        return broker;
    }
}
