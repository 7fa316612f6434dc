using Dledger.Broker.Deduplication;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Offsets;
using Dledger.Broker.Parking;
using Dledger.Broker.Quotas;
using Dledger.Broker.Receiving;
using Dledger.Broker.Replays;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Broadcasting;

public sealed class BroadcastTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Each_client_receives_every_message_that_came_after_it_joined()
    {
        var broker = await WithGroup();
        await broker.Send("t", "before");
        await Join(broker, "a");
        await broker.Send("t", "m0");
        await Join(broker, "b");
        await broker.Send("t", "m1");

        Assert.Equal(["m0", "m1"], Texts(await Receive(broker, "a")));
        Assert.Equal(["m1"], Texts(await Receive(broker, "b")));
        Assert.Empty(await Receive(broker, "a"));
        Assert.Empty(await Receive(broker, "b"));
    }

    [Fact]
    public async Task A_group_that_starts_at_the_beginning_gives_each_client_everything_that_is_kept()
    {
        var broker = await WithGroup(start: GroupStart.Earliest);
        await broker.Send("t", "m0");
        await broker.Send("t", "m1");

        Assert.Equal(["m0", "m1"], Texts(await Receive(broker, "a")));
        Assert.Equal(["m0", "m1"], Texts(await Receive(broker, "b")));
    }

    [Fact]
    public async Task What_one_client_finishes_or_lets_expire_the_others_do_not_notice()
    {
        var broker = await WithGroup();
        await Join(broker, "a", "b");
        await broker.Send("t", "m");
        var first = Assert.Single(await Receive(broker, "a", invisibleSeconds: 60));
        var second = Assert.Single(await Receive(broker, "b", invisibleSeconds: 5));

        Assert.Null(await broker.Ack("all", "t", first));
        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(BrokerError.InvalidHandle, (await broker.Ack("all", "t", second))?.Error);
        Assert.Equal(2, Assert.Single(await Receive(broker, "b")).Attempt);
        Assert.Empty(await Receive(broker, "a"));
    }

    [Fact]
    public async Task A_receipt_of_a_member_is_changed_and_moved_as_any_other_and_is_of_no_other_group()
    {
        var broker = await WithGroup();
        await broker.CreateGroup(new GroupSpec { Name = "other", Settings = new GroupSettings { Broadcast = true } });
        await Join(broker, "a", "b");
        await broker.Send("t", "m");
        var message = Assert.Single(await Receive(broker, "a"));
        var others = Assert.Single(await Receive(broker, "b"));

        var foreign = await broker.Ack("other", "t", message);
        var mixed = await broker.Run(node => node.AckAsync("all", "t", [message.ReceiptHandle, others.ReceiptHandle], None));
        var changed = await broker.Run(node => node.ChangeInvisibleAsync(
            "all", "t", others.ReceiptHandle, TimeSpan.FromSeconds(1), suspend: false, None));
        broker.Advance(TimeSpan.FromSeconds(2));
        var again = Assert.Single(await Receive(broker, "b"));
        var moved = await broker.Run(node => node.ForwardToDeadLetterAsync("all", "t", again.ReceiptHandle, None));

        Assert.Equal(BrokerError.InvalidHandle, foreign?.Error);
        Assert.Null(mixed[0].Failure);
        Assert.Contains("another client", mixed[1].Failure?.Detail, StringComparison.Ordinal);
        Assert.Null(changed.Failure);
        Assert.Null(moved);
        var letter = Assert.Single(await broker.Receive("dead", "%DLQ%all"));
        Assert.Equal(("m", "b"), (TestBroker.Text(letter), letter.DeadLetterOrigin?.ClientId));
    }

    [Fact]
    public async Task A_message_that_each_client_fails_becomes_a_dead_letter_once_for_each_with_the_client_in_its_origin()
    {
        var broker = await WithGroup(new GroupSettings { Broadcast = true, MaxAttempts = 1 });
        await Join(broker, "a", "b");
        await broker.Send("t", "m");
        await Receive(broker, "a", invisibleSeconds: 2);
        await Receive(broker, "b", invisibleSeconds: 2);

        broker.Advance(TimeSpan.FromSeconds(4));

        var letters = await broker.Receive("dead", "%DLQ%all");
        Assert.Equal(["a", "b"], letters.Select(letter => letter.DeadLetterOrigin?.ClientId).Order());
        Assert.Equal([0, 0], letters.Select(letter => letter.QueueId));
    }

    [Fact]
    public async Task Members_stay_who_they_are_over_a_restart_and_on_every_node()
    {
        var broker = await WithGroup(start: GroupStart.Earliest);
        for (var i = 0; i < 6; i++)
        {
            await broker.Send("t", $"m{i}");
        }

        var held = await Receive(broker, "a", batch: 3);
        Assert.Null(await broker.Ack("all", "t", held[1]));
        await Receive(broker, "b", batch: 2);
        var hash = broker.StateHash;

        Assert.Equal(hash, broker.ReplayedStateHash());
        broker.Restart();

        Assert.Equal(hash, broker.StateHash);
        Assert.Null(await broker.Ack("all", "t", held[0]));
        Assert.Equal(["m3", "m4", "m5"], Texts(await Receive(broker, "a")));
        Assert.Equal(["m2", "m3", "m4", "m5"], Texts(await Receive(broker, "b")));
    }

    [Fact]
    public async Task A_client_that_says_goodbye_is_a_member_no_more_and_begins_anew_when_it_comes_back()
    {
        var broker = await WithGroup();
        await Join(broker, "a", "b");
        var held = await SendAndReceive(broker, "a");
        broker.Node.ClientTerminated("a");

        broker.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(["b"], (await Describe(broker)).Broadcast.Select(member => member.ClientId));
        Assert.Equal(BrokerError.InvalidHandle, (await broker.Ack("all", "t", held))?.Error);
        await Join(broker, "a");
        await broker.Send("t", "later");
        Assert.Equal(["later"], Texts(await Receive(broker, "a")));
        Assert.Equal(["m", "later"], Texts(await Receive(broker, "b")));
    }

    [Fact]
    public async Task A_silent_client_is_a_member_until_the_group_s_time_is_over_and_one_that_polls_stays()
    {
        var broker = await WithGroup(new GroupSettings { Broadcast = true, MemberExpiry = TimeSpan.FromMinutes(5) });
        await Join(broker, "silent", "polling");

        await Pass(broker, TimeSpan.FromMinutes(4.5));
        Assert.Equal(["polling", "silent"], (await Describe(broker)).Broadcast.Select(member => member.ClientId));

        // A client counts as alive for a while after its last sign.
        await Pass(broker, TimeSpan.FromMinutes(2));

        Assert.Equal(["polling"], (await Describe(broker)).Broadcast.Select(member => member.ClientId));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
        await Pass(broker, TimeSpan.FromMinutes(20));
        Assert.Equal(["polling"], (await Describe(broker)).Broadcast.Select(member => member.ClientId));

        async Task Pass(TestBroker tested, TimeSpan time)
        {
            for (; time > TimeSpan.Zero; time -= TimeSpan.FromSeconds(30))
            {
                tested.Advance(TimeSpan.FromSeconds(30));
                await Receive(tested, "polling");
            }
        }
    }

    [Fact]
    public async Task After_a_long_time_without_a_leader_nobody_ends_before_the_new_one_has_listened()
    {
        var broker = await WithGroup(new GroupSettings { Broadcast = true, MemberExpiry = TimeSpan.FromMinutes(5) });
        await Join(broker, "a");
        broker.Node.StateMachine.Stop();
        broker.Time.Advance(TimeSpan.FromHours(3));
        broker.Restart(graceful: false);

        broker.Advance(TimeSpan.FromSeconds(60));
        Assert.Single((await Describe(broker)).Broadcast);
        await Receive(broker, "a");
        broker.Advance(TimeSpan.FromSeconds(60));

        Assert.Single((await Describe(broker)).Broadcast);
        broker.Advance(TimeSpan.FromMinutes(10));
        Assert.Empty((await Describe(broker)).Broadcast);
    }

    [Fact]
    public async Task A_full_group_turns_new_clients_away_and_says_why_until_a_place_is_free()
    {
        var broker = await WithGroup(options: new BrokerOptions { BroadcastMembersMax = 2 });
        await Join(broker, "a", "b");

        var refused = await broker.Run(node => node.ReceiveAsync(RequestOf("c"), None));

        Assert.Equal(BrokerError.Busy, refused.Failure?.Error);
        Assert.Contains("2 members, 2 are allowed", refused.Failure?.Detail, StringComparison.Ordinal);
        broker.Node.ClientTerminated("a");
        broker.Advance(TimeSpan.FromSeconds(10));
        await Join(broker, "c");
        Assert.Equal(["b", "c"], (await Describe(broker)).Broadcast.Select(member => member.ClientId));
    }

    [Fact]
    public async Task A_description_shows_members_as_members_with_their_lag_and_lists_show_the_group_once()
    {
        var broker = await WithGroup();
        await Join(broker, "b", "a");
        await broker.Send("t", "m0");
        await broker.Send("t", "m1");
        Assert.Null(await broker.Ack("all", "t", (await Receive(broker, "a", batch: 1))[0]));

        var description = await Describe(broker);

        Assert.Empty(description.Queues);
        Assert.Equal(
            [("a", 1L), ("b", 2L)],
            description.Broadcast.Select(member => (member.ClientId, Assert.Single(member.Queues).Lag)));
        Assert.Equal(["a", "b"], description.Members.Select(member => member.ClientId).Order());
        Assert.Equal(["all"], broker.Node.Groups.Select(group => group.Name));
    }

    [Fact]
    public async Task Settings_and_pauses_of_the_group_are_those_of_its_members_also_of_later_ones()
    {
        var broker = await WithGroup(start: GroupStart.Earliest);
        await Join(broker, "a");
        await broker.Send("t", "m");

        Assert.Null(await broker.Run(node => node.UpdateGroupAsync(new GroupChange { Name = "all", MaxAttempts = 3 }, None)));
        Assert.Null(await broker.Run(node => node.PauseGroupAsync("all", "why", TimeSpan.FromSeconds(30), None)));
        Assert.Empty(await Receive(broker, "a"));
        Assert.Empty(await Receive(broker, "b"));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
        broker.Advance(TimeSpan.FromSeconds(31));

        Assert.Single(await Receive(broker, "a"));
        Assert.Single(await Receive(broker, "b"));
        Assert.All(broker.Node.Machine.State.Groups.All, group => Assert.Equal(3, group.View.MaxAttempts));
        Assert.All(broker.Node.Machine.State.Groups.All, group => Assert.Null(group.Pause));
    }

    [Fact]
    public async Task A_deleted_group_takes_its_members_with_it_and_so_does_a_deleted_topic_their_progress()
    {
        var broker = await WithGroup();
        await Join(broker, "a", "b");
        await SendAndReceive(broker, "a");
        var poll = broker.Start(node => node.ReceiveAsync(
            RequestOf("b") with { Topic = "idle", LongPoll = TimeSpan.FromSeconds(10) }, None));

        Assert.Null(await broker.Run(node => node.DeleteGroupAsync("all", None)));

        Assert.Equal(BrokerError.GroupNotFound, (await poll).Failure?.Error);
        Assert.Empty(broker.Node.Machine.State.Groups.All);
        Assert.Empty(broker.Node.Machine.State.Leases.All);
        Assert.Empty(broker.Node.Machine.State.Topics.Find("t")!.Subscriptions);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task In_an_ordered_broadcast_group_each_client_has_message_groups_of_its_own()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", types: MessageTypeSet.Of(MessageType.Fifo));
        await broker.CreateGroup(
            new GroupSpec { Name = "all", Fifo = true, Settings = new GroupSettings { Broadcast = true } });
        await Join(broker, "a", "b");
        await broker.Send("t", "m0", group: "g");
        await broker.Send("t", "m1", group: "g");

        var first = Assert.Single(await Receive(broker, "a", batch: 1));

        Assert.Empty(await Receive(broker, "a"));
        Assert.Equal(["m0", "m1"], Texts(await Receive(broker, "b")));
        Assert.Null(await broker.Ack("all", "t", first));
        Assert.Equal(["m1"], Texts(await Receive(broker, "a")));
    }

    [Fact]
    public async Task The_clients_of_a_broadcast_group_share_its_quota()
    {
        var broker = await WithGroup(
            settings: new GroupSettings { Broadcast = true, ReceiveQuota = new QuotaRates(3, 0) });
        await Join(broker, "a", "b");
        for (var i = 0; i < 4; i++)
        {
            await broker.Send("t", $"m{i}");
        }

        var first = await Receive(broker, "a", batch: 2);
        var second = await Receive(broker, "b", batch: 2);

        Assert.Equal((2, 1), (first.Count, second.Count));
        broker.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["m1", "m2", "m3"], Texts(await Receive(broker, "b")));
    }

    public static TheoryData<string, string> Refusals => new()
    {
        { "seek", "each of its clients reads on its own" },
        { "offset", "each of its clients reads on its own" },
        { "update offset", "each of its clients reads on its own" },
        { "replay", "each of its clients reads on its own" },
        { "parked", "each of its clients reads on its own" },
        { "no client", "has none" },
        { "long client", "longer than 512" },
        { "not broadcast", "create another group without broadcast" },
        { "broadcast", "create another group with broadcast" },
        { "exclusive", "cannot be exclusive" },
        { "make exclusive", "cannot be exclusive" },
        { "park", "cannot park" },
        { "dedup", "cannot remember processed keys" },
        { "expiry", "00:02:00 to 7.00:00:00" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_a_broadcast_group_cannot_do_is_refused_by_name(string which, string detail)
    {
        var broker = await WithGroup();
        await broker.CreateGroup(new GroupSpec { Name = "plain" });
        await Join(broker, "a");
        var hash = broker.StateHash;

        var failure = which switch
        {
            "seek" => (await broker.Run(node => node.SeekAsync(
                new SeekRequest { Group = "all", Topic = "t", Target = SeekTarget.Latest }, None))).Failure,
            "offset" => (await broker.Run(node => node.GetOffsetAsync("all", "t", 0, None))).Failure,
            "update offset" => await broker.Run(node => node.UpdateOffsetAsync("all", "t", 0, 0, None)),
            "replay" => (await broker.Run(node => node.ReplayAsync(new ReplayRequest { Group = "all", Topic = "t" }, None))).Failure,
            "parked" => (await broker.Run(node => node.ReleaseParkedAsync(new ParkingSelection { Group = "all" }, None))).Failure,
            "no client" => (await broker.Run(node => node.ReceiveAsync(RequestOf(""), None))).Failure,
            "long client" => (await broker.Run(node => node.ReceiveAsync(RequestOf(new string('c', 513)), None))).Failure,
            "not broadcast" => await Update(new GroupChange { Name = "all", Broadcast = false }),
            "broadcast" => await Update(new GroupChange { Name = "plain", Broadcast = true }),
            "exclusive" => await Create(new GroupSettings { Broadcast = true, Exclusive = true }),
            "make exclusive" => await Update(new GroupChange { Name = "all", Exclusive = true }),
            "dedup" => await Create(
                new GroupSettings { Broadcast = true, Dedup = new DedupSettings(DedupSource.Key, "", 0, 0) }),
            "park" => await Create(new GroupSettings { Broadcast = true, Poison = PoisonMode.Park }),
            _ => await Update(new GroupChange { Name = "all", MemberExpiry = TimeSpan.FromSeconds(1) }),
        };

        Assert.Equal(BrokerError.InvalidArgument, failure?.Error);
        Assert.Contains(detail, failure?.Detail, StringComparison.Ordinal);
        Assert.Equal(hash, broker.StateHash);

        Task<BrokerFailure?> Update(GroupChange change) => broker.Run(node => node.UpdateGroupAsync(change, None));

        Task<BrokerFailure?> Create(GroupSettings settings) =>
            broker.Run(node => node.CreateGroupAsync(new GroupSpec { Name = "new", Settings = settings }, None));
    }

    private static async Task<TestBroker> WithGroup(
        GroupSettings? settings = null, GroupStart? start = null, BrokerOptions? options = null)
    {
        var broker = new TestBroker(options);
        await broker.CreateTopic("t");
        await broker.CreateTopic("idle");
        await broker.CreateGroup(new GroupSpec
        {
            Name = "all",
            Start = start,
            Settings = settings ?? new GroupSettings { Broadcast = true },
        });
        return broker;
    }

    private static async Task Join(TestBroker broker, params string[] clients)
    {
        foreach (var client in clients)
        {
            Assert.Empty(await Receive(broker, client));
        }
    }

    private static async Task<DeliveredMessage> SendAndReceive(TestBroker broker, string client)
    {
        await broker.Send("t", "m");
        return Assert.Single(await Receive(broker, client));
    }

    private static async Task<IReadOnlyList<DeliveredMessage>> Receive(
        TestBroker broker, string client, int batch = 32, double invisibleSeconds = 30)
    {
        var outcome = await broker.Run(node => node.ReceiveAsync(
            TestBroker.Request("all", "t", batch, invisibleSeconds, "*", null) with { ClientId = client }, None));
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        return outcome.Messages;
    }

    private static ReceiveRequest RequestOf(string client) =>
        TestBroker.Request("all", "t", 1, 30, "*", null) with { ClientId = client };

    private static async Task<GroupDescription> Describe(TestBroker broker)
    {
        var (description, failure) = await broker.Run(node => node.DescribeGroupAsync("all", None));
        Assert.Null(failure);
        return description!;
    }

    private static string[] Texts(IReadOnlyList<DeliveredMessage> messages) => [.. messages.Select(TestBroker.Text)];
}
