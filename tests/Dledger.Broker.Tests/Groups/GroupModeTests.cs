using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Groups;

public sealed class GroupModeTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_paused_group_is_given_nothing_until_it_is_resumed()
    {
        var broker = await Prepare(new GroupSettings());
        var held = Assert.Single(await broker.Receive("g", "t", batch: 1));
        Assert.Null(await broker.Run(node => node.PauseGroupAsync("g", "repair", TimeSpan.Zero, None)));
        var poll = broker.Poll("g", "t");

        Assert.Empty(await broker.Receive("g", "t"));
        Assert.False(poll.IsCompleted);
        Assert.Null(await broker.Ack("g", "t", held));
        Assert.Equal("repair", broker.Node.FindGroup("g")!.Pause!.Reason);
        broker.Restart(graceful: true);
        Assert.Equal("repair", broker.Node.FindGroup("g")!.Pause!.Reason);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
        poll = broker.Poll("g", "t");
        Assert.Null(await broker.Run(node => node.ResumeGroupAsync("g", None)));

        Assert.Equal("m1", TestBroker.Text(Assert.Single((await poll).Messages)));
        Assert.Null(broker.Node.FindGroup("g")!.Pause);
    }

    [Fact]
    public async Task A_pause_ends_by_itself_and_wakes_who_waits()
    {
        var broker = await Prepare(new GroupSettings());
        Assert.Null(await broker.Run(node => node.PauseGroupAsync("g", "", TimeSpan.FromSeconds(5), None)));
        var poll = broker.Poll("g", "t", longPollSeconds: 20);

        broker.Advance(TimeSpan.FromSeconds(4));
        Assert.False(poll.IsCompleted);
        broker.Advance(TimeSpan.FromSeconds(2));

        Assert.Single((await poll).Messages);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_pause_of_an_unknown_group_or_beyond_the_limit_is_refused()
    {
        var broker = await Prepare(new GroupSettings());

        var unknown = await broker.Run(node => node.PauseGroupAsync("nobody", "", TimeSpan.Zero, None));
        var endless = await broker.Run(node => node.PauseGroupAsync("g", "", TimeSpan.FromDays(400), None));
        var wordy = await broker.Run(node => node.PauseGroupAsync("g", new string('x', 2_000), TimeSpan.Zero, None));

        Assert.Equal(BrokerError.GroupNotFound, unknown?.Error);
        Assert.Equal(BrokenRule.Pause, endless?.Rule);
        Assert.Equal(BrokenRule.Pause, wordy?.Rule);
        Assert.Null(broker.Node.FindGroup("g")!.Pause);
    }

    [Fact]
    public async Task At_most_once_a_message_is_finished_when_it_is_handed_out()
    {
        var broker = await Prepare(new GroupSettings { AckMode = AckMode.AtMostOnce });

        var batch = await broker.Receive("g", "t", batch: 2, invisibleSeconds: 5, attemptId: "one");
        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(["m0", "m1"], batch.Select(TestBroker.Text));
        Assert.All(batch, message => Assert.Equal(1, message.Attempt));
        Assert.Null(await broker.Ack("g", "t", batch[0]));
        Assert.Equal(["m2", "m3"], (await broker.Receive("g", "t", attemptId: "one")).Select(TestBroker.Text));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task An_exclusive_group_gives_messages_to_one_client_until_that_is_gone()
    {
        var broker = await Prepare(new GroupSettings { Exclusive = true });
        Assert.Equal("m0", TestBroker.Text(Assert.Single(await Receive(broker, "one"))));

        Assert.Empty(await Receive(broker, "two"));
        broker.Restart(graceful: true);
        Assert.Empty(await Receive(broker, "two"));
        Assert.Equal("m1", TestBroker.Text(Assert.Single(await Receive(broker, "one"))));
        broker.Advance(TimeSpan.FromSeconds(100));
        broker.Node.ClientSeen("two", "g");

        Assert.Equal("m2", TestBroker.Text(Assert.Single(await Receive(broker, "two"))));
        Assert.Empty(await Receive(broker, "one"));
        broker.Node.ClientTerminated("two");
        Assert.Equal("m3", TestBroker.Text(Assert.Single(await Receive(broker, "one"))));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_goodbye_from_before_another_leader_says_nothing_about_a_client()
    {
        var broker = await Prepare(new GroupSettings { Exclusive = true });
        Assert.Single(await Receive(broker, "one"));
        broker.Node.ClientTerminated("one");

        // It came back meanwhile and speaks to the other leader.
        broker.Log.LoseLeadership();
        broker.Log.Lead();

        Assert.Empty(await Receive(broker, "two"));
        Assert.Single(await Receive(broker, "one"));
    }

    [Fact]
    public async Task A_client_with_too_many_messages_in_flight_is_told_so_while_others_go_on()
    {
        var broker = await Prepare(new GroupSettings { MaxInFlightPerClient = 2 });
        var held = await Receive(broker, "one", batch: 8);
        Assert.Equal(2, held.Count);

        var poll = broker.Start(node => node.ReceiveAsync(
            Request("one") with { LongPoll = TimeSpan.FromSeconds(5) }, None));
        Assert.Single(await Receive(broker, "two"));
        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(BrokerError.Busy, (await poll).Failure?.Error);
        Assert.Contains("the limit of its group is 2", (await poll).Failure!.Value.Detail, StringComparison.Ordinal);
        Assert.Null(await broker.Ack("g", "t", held[0]));
        Assert.Single(await Receive(broker, "one"));
    }

    [Fact]
    public async Task A_group_with_too_many_messages_in_flight_goes_on_when_some_of_another_topic_are_finished()
    {
        var broker = await Prepare(new GroupSettings { MaxInFlight = 2 });
        await broker.CreateTopic("u");
        await broker.Send("u", "other");
        var held = await broker.Receive("g", "t", batch: 8);
        Assert.Equal(2, held.Count);
        var poll = broker.Poll("g", "u");
        Assert.False(poll.IsCompleted);

        Assert.Null(await broker.Ack("g", "t", held[0]));

        Assert.Equal("other", TestBroker.Text(Assert.Single((await poll).Messages)));
    }

    [Fact]
    public async Task Messages_in_flight_are_counted_anew_after_a_restart()
    {
        var broker = await Prepare(new GroupSettings { MaxInFlightPerClient = 2 });
        var held = await Receive(broker, "one", batch: 8);

        broker.Restart(graceful: true);
        var poll = broker.Start(node => node.ReceiveAsync(
            Request("one") with { LongPoll = TimeSpan.FromSeconds(5) }, None));
        Assert.False(poll.IsCompleted);
        Assert.Null(await broker.Ack("g", "t", held[0]));

        Assert.Single((await poll).Messages);
    }

    private static ReceiveRequest Request(string client, int batch = 1) =>
        TestBroker.Request("g", "t", batch, 600, "*", null) with { ClientId = client };

    private static async Task<IReadOnlyList<DeliveredMessage>> Receive(
        TestBroker broker, string client, int batch = 1) =>
        (await broker.Run(node => node.ReceiveAsync(Request(client, batch), None))).Messages;

    private static async Task<TestBroker> Prepare(GroupSettings settings)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = settings });
        for (var i = 0; i < 4; i++)
        {
            await broker.Send("t", $"m{i}");
        }

        return broker;
    }
}
