using Dledger.Broker.Deduplication;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;
using Dledger.Broker.Replays;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Traces;

namespace Dledger.Broker.Tests.Deduplication;

public sealed class DedupTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_message_whose_key_was_acknowledged_is_finished_without_delivery()
    {
        var broker = await Prepare(DedupSource.Key);
        await Send(broker, "t", "first", "order-7");
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));
        await Send(broker, "t", "repeat", "order-7");
        await Send(broker, "t", "other", "order-8");

        var next = Assert.Single(await broker.Receive("g", "t"));

        Assert.Equal("other", TestBroker.Text(next));
        Assert.Null(await broker.Ack("g", "t", next));
        var group = await Describe(broker);
        Assert.Equal((1, 2), (group.RepeatCount, group.ProcessedCount));
        Assert.Equal(0, group.Queues.Sum(queue => queue.Lag));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task Other_groups_get_every_message()
    {
        var broker = await Prepare(DedupSource.Key);
        await broker.CreateGroup(new GroupSpec { Name = "plain" });
        await Send(broker, "t", "first", "k");
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));
        await Send(broker, "t", "repeat", "k");

        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Equal(["first", "repeat"], (await broker.Receive("plain", "t")).Select(TestBroker.Text).Order());
    }

    [Fact]
    public async Task A_second_message_of_a_key_waits_until_the_first_is_acknowledged_and_is_then_finished()
    {
        var broker = await Prepare(DedupSource.Key);
        await Send(broker, "t", "first", "k");
        await Send(broker, "t", "second", "k");
        await Send(broker, "t", "third", "other");

        var messages = await broker.Receive("g", "t");
        var nothing = await broker.Receive("g", "t");
        var poll = broker.Poll("g", "t");
        Assert.False(poll.IsCompleted);
        Assert.Null(await broker.Ack("g", "t", messages[0]));
        broker.Settle();

        Assert.Equal(["first", "third"], messages.Select(TestBroker.Text));
        Assert.Empty(nothing);
        Assert.False(poll.IsCompleted);
        Assert.Equal(1, (await Describe(broker)).RepeatCount);
    }

    [Fact]
    public async Task A_message_whose_key_could_not_be_read_is_not_delivered_beside_another_of_its_key()
    {
        var broker = await Prepare(DedupSource.Key);
        await Send(broker, "t", "first", "k");
        await Send(broker, "t", "second", "k");
        var place = broker.Node.Machine.State.Topics.All.Single(topic => topic.View.Name == "t").Queues[0].Read(1);
        broker.Log.FailsOnce = true;
        broker.Log.FailsAt = place.Position;

        var first = Assert.Single(await broker.Receive("g", "t"));
        Assert.Null(broker.Log.FailsAt);
        Assert.Equal("first", TestBroker.Text(first));
        Assert.Null(await broker.Ack("g", "t", first));
        broker.Advance(TimeSpan.FromSeconds(31));

        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Equal(1, (await Describe(broker)).RepeatCount);
    }

    [Fact]
    public async Task A_second_message_of_a_key_is_delivered_when_the_first_is_given_back_or_runs_out()
    {
        var broker = await Prepare(DedupSource.Key, attempts: 1);
        await Send(broker, "t", "first", "k");
        await Send(broker, "t", "second", "k");
        Assert.Equal("first", TestBroker.Text(Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5))));
        var poll = broker.Poll("g", "t", longPollSeconds: 20);

        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal("second", TestBroker.Text(Assert.Single((await poll).Messages)));
        Assert.Equal(0, (await Describe(broker)).RepeatCount);
    }

    [Fact]
    public async Task A_key_holds_over_topics_of_the_group()
    {
        var broker = await Prepare(DedupSource.Key);
        await broker.CreateTopic("u");
        await Send(broker, "t", "first", "k");
        await Send(broker, "u", "second", "k");
        var first = Assert.Single(await broker.Receive("g", "t"));
        var poll = broker.Poll("g", "u");
        Assert.False(poll.IsCompleted);

        Assert.Null(await broker.Ack("g", "t", first));
        broker.Settle();

        Assert.Equal(1, (await Describe(broker)).RepeatCount);
        Assert.False(poll.IsCompleted);
    }

    [Fact]
    public async Task Keys_are_forgotten_by_time_and_by_number()
    {
        var broker = await Prepare(DedupSource.Key, window: TimeSpan.FromMinutes(1), count: 2);
        foreach (var key in new[] { "a", "b", "c" })
        {
            await Send(broker, "t", $"first-{key}", key);
            Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));
        }

        await Send(broker, "t", "again-a", "a");
        await Send(broker, "t", "again-c", "c");
        Assert.Equal("again-a", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
        broker.Advance(TimeSpan.FromMinutes(2));
        await Send(broker, "t", "late-c", "c");

        var late = (await broker.Receive("g", "t")).Concat(await broker.Receive("g", "t"));
        Assert.Equal(["again-a", "late-c"], late.Select(TestBroker.Text));
    }

    [Fact]
    public async Task The_key_may_be_the_message_id_or_a_property_and_a_message_without_key_is_always_delivered()
    {
        var broker = await Prepare(DedupSource.Property, property: "order");
        await Alter(broker, new GroupChange { Name = "g", DedupSource = DedupSource.Property, DedupProperty = "order" });
        await Send(broker, "t", "p1", property: "7");
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));
        await Send(broker, "t", "p2", property: "7");
        await Send(broker, "t", "none");
        Assert.Equal("none", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));

        await Alter(broker, new GroupChange { Name = "g", DedupSource = DedupSource.MessageId });
        await broker.Send("t", "same");
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));
        await broker.Send("t", "same");

        Assert.Empty(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task What_is_known_survives_a_restart_from_checkpoint_and_from_the_log()
    {
        var broker = await Prepare(DedupSource.Key);
        await Send(broker, "t", "first", "a");
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));
        await Send(broker, "t", "held", "b");
        var held = Assert.Single(await broker.Receive("g", "t"));
        await Send(broker, "t", "repeat-a", "a");
        await Send(broker, "t", "repeat-b", "b");
        var before = broker.StateHash;

        broker.Restart();

        Assert.Equal(before, broker.StateHash);
        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Null(await broker.Ack("g", "t", held));
        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Equal(2, (await Describe(broker)).RepeatCount);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_seek_back_delivers_processed_messages_again()
    {
        var broker = await Prepare(DedupSource.Key);
        await Send(broker, "t", "first", "k");
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));

        await broker.Run(node => node.SeekAsync(new SeekRequest { Group = "g", Topic = "t", Target = SeekTarget.Earliest }, None));

        Assert.Equal("first", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
    }

    [Fact]
    public async Task A_replay_delivers_processed_messages_again()
    {
        var broker = await Prepare(DedupSource.Key);
        await Send(broker, "t", "first", "k");
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));

        var replay = await broker.Run(node => node.ReplayAsync(new ReplayRequest { Group = "g", Topic = "t" }, None));

        Assert.Null(replay.Failure);
        Assert.Equal("first", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task What_lived_too_long_does_not_count_as_processed()
    {
        var broker = await Prepare(DedupSource.Key);
        await Send(broker, "t", "dead", "k", timeToLive: "1000");
        broker.Advance(TimeSpan.FromSeconds(2));
        await Send(broker, "t", "alive", "k");

        var messages = new List<string>();
        for (var round = 0; round < 3; round++)
        {
            messages.AddRange((await broker.Receive("g", "t")).Select(TestBroker.Text));
        }

        Assert.Equal(["alive"], messages);
    }

    [Fact]
    public async Task An_at_most_once_group_knows_a_key_with_the_delivery()
    {
        var broker = await Prepare(DedupSource.Key, mode: AckMode.AtMostOnce);
        await Send(broker, "t", "first", "k");
        await Send(broker, "t", "second", "k");

        Assert.Equal("first", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Equal(1, (await Describe(broker)).RepeatCount);
    }

    [Fact]
    public async Task An_ordered_group_keeps_the_order_around_repeats()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("f", types: MessageTypeSet.Of(MessageType.Fifo));
        await broker.CreateGroup(new GroupSpec { Name = "g", Fifo = true, Settings = Settings(DedupSource.Key) });
        foreach (var (body, key) in new[] { ("1", "a"), ("2", "b"), ("3", "a"), ("4", "c"), ("5", "b") })
        {
            var draft = TestBroker.Draft(body, group: "lane") with { Keys = [key] };
            Assert.True((await broker.Run(node => node.AppendAsync("f", [draft], None))).Succeeded);
        }

        var seen = new List<string>();
        while (await broker.Receive("g", "f") is { Count: > 0 } messages)
        {
            foreach (var message in messages)
            {
                seen.Add(TestBroker.Text(message));
                Assert.Null(await broker.Ack("g", "f", message));
            }
        }

        Assert.Equal(["1", "2", "4"], seen);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task The_trace_of_a_repeat_says_that_it_is_one()
    {
        var broker = await Prepare(DedupSource.Key);
        await Send(broker, "t", "first", "k");
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));
        await Send(broker, "t", "repeat", "k");
        Assert.Empty(await broker.Receive("g", "t"));

        var trace = await broker.Run(node => node.ExplainMessageAsync(new TraceQuery("t", "id-repeat", 0, default), None));

        Assert.Equal(TraceState.Deduplicated, Assert.Single(trace.Groups).State);
        Assert.Equal(TraceEventKind.Deduplicated, trace.History[^1].Kind);
    }

    [Fact]
    public async Task A_group_that_begins_to_look_delivers_what_it_has_not_processed_since()
    {
        var broker = await Prepare(DedupSource.None);
        await Send(broker, "t", "before", "k");
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));
        var poll = broker.Poll("g", "t");
        await Alter(broker, new GroupChange { Name = "g", DedupSource = DedupSource.Key });

        await Send(broker, "t", "after", "k");
        Assert.Null(await broker.Ack("g", "t", Assert.Single((await poll).Messages)));
        await Send(broker, "t", "repeat", "k");

        Assert.Empty(await broker.Receive("g", "t"));
    }

    [Theory]
    [InlineData((DedupSource)9, "", 0, 0, "key source 9")]
    [InlineData(DedupSource.Property, "", 0, 0, "user property")]
    [InlineData(DedupSource.Key, "name", 0, 0, "user property")]
    [InlineData(DedupSource.Key, "", 0.5, 0, "1 s to 7 days")]
    [InlineData(DedupSource.Key, "", 604_801, 0, "1 s to 7 days")]
    [InlineData(DedupSource.Key, "", 60, -1, "1 to 1000000")]
    [InlineData(DedupSource.Key, "", 60, 1_000_001, "1 to 1000000")]
    public async Task Settings_outside_the_bounds_are_refused(
        DedupSource source, string property, double seconds, long count, string expected)
    {
        var broker = new TestBroker();
        var settings = GroupSettings.Default with
        {
            Dedup = new DedupSettings(source, property, (long)(seconds * 1_000_000), count),
        };

        var failure = await broker.Run(node => node.CreateGroupAsync(new GroupSpec { Name = "g", Settings = settings }, None));

        Assert.Equal(BrokenRule.Dedup, failure!.Value.Rule);
        Assert.Contains(expected, failure.Value.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_groups_together_remember_a_bounded_number()
    {
        var broker = new TestBroker();
        for (var n = 0; n < 10; n++)
        {
            await broker.CreateGroup(new GroupSpec { Name = $"g{n}", Settings = Settings(DedupSource.Key, count: 1_000_000) });
        }

        var failure = await broker.Run(node => node.CreateGroupAsync(
            new GroupSpec { Name = "more", Settings = Settings(DedupSource.Key, count: 1) }, None));

        Assert.Contains("10000000 together", failure!.Value.Detail, StringComparison.Ordinal);
    }

    private static GroupSettings Settings(
        DedupSource source,
        string property = "",
        TimeSpan window = default,
        long count = 0,
        int attempts = 17,
        AckMode mode = AckMode.AtLeastOnce) => GroupSettings.Default with
        {
            MaxAttempts = attempts,
            AckMode = mode,
            Dedup = new DedupSettings(source, property, (long)window.TotalMicroseconds, count),
        };

    private static async Task<TestBroker> Prepare(
        DedupSource source,
        string property = "",
        TimeSpan window = default,
        long count = 0,
        int attempts = 17,
        AckMode mode = AckMode.AtLeastOnce)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = Settings(source, property, window, count, attempts, mode) });
        return broker;
    }

    private static async Task Send(
        TestBroker broker, string topic, string body, string? key = null, string? property = null, string? timeToLive = null)
    {
        List<KeyValuePair<string, string>> properties = [];
        if (property is not null)
        {
            properties.Add(KeyValuePair.Create("order", property));
        }

        if (timeToLive is not null)
        {
            properties.Add(KeyValuePair.Create(TimeToLive.Property, timeToLive));
        }

        var draft = TestBroker.Draft(body) with { Keys = key is null ? [] : [key], UserProperties = properties };
        var outcome = await broker.Run(node => node.AppendAsync(topic, [draft], None));
        Assert.Null(outcome.Failure);
    }

    private static async Task Alter(TestBroker broker, GroupChange change) =>
        Assert.Null(await broker.Run(node => node.UpdateGroupAsync(change, None)));

    private static async Task<GroupDescription> Describe(TestBroker broker) =>
        (await broker.Run(node => node.DescribeGroupAsync("g", None))).Group!;
}
