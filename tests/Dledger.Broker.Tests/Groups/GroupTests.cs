using Dledger.Broker.Groups;
using Dledger.Broker.Naming;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Groups;

public sealed class GroupTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task What_a_change_of_a_group_does_not_name_stays_as_it_is()
    {
        var broker = new TestBroker();
        var backoff = BackoffPolicy.Exponential(TimeSpan.FromSeconds(5), TimeSpan.FromHours(2), 2);
        await broker.CreateGroup(new GroupSpec { Name = "g", Fifo = true, Settings = new GroupSettings { MaxAttempts = 3 } });

        Assert.Null(await broker.Run(node => node.UpdateGroupAsync(new GroupChange { Name = "g", MaxAttempts = 5 }, None)));
        Assert.Null(await broker.Run(node => node.UpdateGroupAsync(new GroupChange { Name = "g", Backoff = backoff }, None)));
        broker.Restart();

        var group = broker.Node.FindGroup("g")!;
        Assert.Equal((true, 5), (group.Fifo, group.MaxAttempts));
        Assert.Equal(
            (backoff.Initial, backoff.Max, backoff.Multiplier),
            (group.Backoff.Initial, group.Backoff.Max, group.Backoff.Multiplier));
    }

    [Fact]
    public async Task A_group_has_seventeen_attempts_and_eighteen_steps_by_default()
    {
        var broker = new TestBroker();

        var (group, _) = await broker.Run(node => node.FindOrCreateGroupAsync("g", None));

        Assert.Equal((17, 18), (group!.MaxAttempts, group.Backoff.Steps.Count));
    }

    [Fact]
    public async Task A_group_exists_once_and_an_unknown_one_cannot_be_changed_or_deleted()
    {
        var broker = new TestBroker();
        await broker.CreateGroup(new GroupSpec { Name = "g" });

        var again = await broker.Run(node => node.CreateGroupAsync(new GroupSpec { Name = "g" }, None));
        var update = await broker.Run(node => node.UpdateGroupAsync(new GroupChange { Name = "h" }, None));
        var delete = await broker.Run(node => node.DeleteGroupAsync("h", None));

        Assert.Equal(BrokerError.AlreadyExists, again?.Error);
        Assert.Equal(BrokerError.GroupNotFound, update?.Error);
        Assert.Equal(BrokerError.GroupNotFound, delete?.Error);
    }

    [Fact]
    public async Task A_deleted_group_forgets_leases_and_progress()
    {
        var broker = new TestBroker();
        await broker.Send("t", "m");
        var message = Assert.Single(await broker.Receive("g", "t"));

        Assert.Null(await broker.Run(node => node.DeleteGroupAsync("g", None)));
        Assert.Equal(BrokerError.GroupNotFound, (await broker.Ack("g", "t", message))?.Error);
        broker.Advance(TimeSpan.FromSeconds(40));

        Assert.Equal(1, Assert.Single(await broker.Receive("g", "t")).Attempt);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10_001)]
    public async Task Attempts_out_of_range_are_refused(int attempts)
    {
        var broker = new TestBroker();

        var failure = await broker.Run(node => node.CreateGroupAsync(
            new GroupSpec { Name = "g", Settings = new GroupSettings { MaxAttempts = attempts } }, None));

        Assert.Equal(BrokenRule.MaxAttempts, failure?.Rule);
    }

    [Fact]
    public async Task A_backoff_that_makes_no_sense_is_refused()
    {
        var broker = new TestBroker();
        BackoffPolicy[] policies =
        [
            BackoffPolicy.Exponential(TimeSpan.Zero, TimeSpan.FromSeconds(1), 2),
            BackoffPolicy.Exponential(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1), 2),
            BackoffPolicy.Exponential(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), double.NaN),
            BackoffPolicy.Customized([TimeSpan.FromSeconds(-1)]),
            BackoffPolicy.Customized(new TimeSpan[65]),
        ];

        foreach (var policy in policies)
        {
            var failure = await broker.Run(node => node.CreateGroupAsync(
                new GroupSpec { Name = "g", Settings = new GroupSettings { Backoff = policy } }, None));
            Assert.Equal(BrokenRule.Backoff, failure?.Rule);
        }
    }

    [Fact]
    public async Task A_description_shows_progress_per_queue()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        for (var i = 0; i < 5; i++)
        {
            await broker.Send("t", $"m{i}");
        }

        await broker.Receive("g", "t", batch: 2, invisibleSeconds: 5);
        broker.Advance(TimeSpan.FromSeconds(6));
        await broker.Receive("g", "t", batch: 1);

        var queue = Assert.Single((await broker.Run(node => node.DescribeGroupAsync("g", None))).Group!.Queues);
        Assert.Equal(("t", 0), (queue.Topic, queue.QueueId));
        Assert.Equal((0, 5), (queue.CommitOffset.Value, queue.Max.Value));
        Assert.Equal((1, 1, 5), (queue.InFlight, queue.Redeliverable, queue.Lag));
    }

    [Fact]
    public async Task On_a_follower_an_unknown_group_is_a_question_for_the_leader()
    {
        var broker = new TestBroker();
        broker.Log.LoseLeadership();

        var (_, failure) = await broker.Run(node => node.FindOrCreateGroupAsync("g", None));

        Assert.Equal(BrokerError.NotLeader, failure?.Error);
    }
}
