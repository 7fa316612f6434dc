using Dledger.Broker.Groups;
using Dledger.Broker.Letters;
using Dledger.Broker.Lites;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;

namespace Dledger.Broker.Tests.Lites;

public sealed class LiteTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly TestBroker _broker = new();

    [Fact]
    public async Task A_client_is_given_the_messages_of_its_set_and_no_others()
    {
        await CreateParentAsync();
        await SendAsync("one", "a");
        await SendAsync("two", "b");
        await SendAsync("three", "c");

        await SyncAsync("x", LiteAction.PartialAdd, "one", "three", "four");
        var received = await ReceiveAsync("x");

        Assert.Equal([("a", "one"), ("c", "three")], received.Select(message => (TestBroker.Text(message), message.LiteTopic!)).Order());
        Assert.All(received, message => Assert.Equal(("t", MessageType.Lite), (message.Topic, message.Type)));
        Assert.Empty(await ReceiveAsync("y"));
    }

    [Fact]
    public async Task A_waiting_receive_is_woken_by_a_message_for_its_set_and_by_a_change_of_it()
    {
        await CreateParentAsync();
        await SendAsync("one", "early");
        var poll = Poll("x");
        await SyncAsync("x", LiteAction.PartialAdd, "one");
        Assert.Equal("early", TestBroker.Text(Assert.Single((await poll).Messages)));

        var other = Poll("x");
        await SendAsync("two", "not for it");
        Assert.False(other.IsCompleted);
        await SendAsync("one", "late");

        Assert.Equal("late", TestBroker.Text(Assert.Single((await other).Messages)));
    }

    [Fact]
    public async Task Each_action_does_to_the_set_what_its_name_says()
    {
        await CreateParentAsync();
        await SyncAsync("x", LiteAction.PartialAdd, "a", "b");
        await SyncAsync("x", LiteAction.PartialAdd, "c");
        await SyncAsync("x", LiteAction.PartialRemove, "b", "unknown");
        Assert.Equal(["a", "c"], await ReachableAsync("x"));

        await SyncAsync("x", LiteAction.CompleteAdd, "b", "d");
        Assert.Equal(["b", "d"], await ReachableAsync("x"));

        await SyncAsync("x", LiteAction.CompleteRemove);
        Assert.Empty(await ReachableAsync("x"));
    }

    [Fact]
    public async Task Two_clients_of_a_group_share_a_lite_topic_and_another_group_gets_all_of_it()
    {
        await CreateParentAsync();
        foreach (var body in new[] { "1", "2" })
        {
            await SendAsync("one", body);
        }

        await SyncAsync("x", LiteAction.PartialAdd, "one");
        await SyncAsync("y", LiteAction.PartialAdd, "one");
        Assert.Null(await TrySyncAsync("z", LiteAction.PartialAdd, "h", "one"));

        var first = Assert.Single(await ReceiveAsync("x", batch: 1));
        var second = Assert.Single(await ReceiveAsync("y"));

        Assert.Equal(["1", "2"], [TestBroker.Text(first), TestBroker.Text(second)]);
        Assert.Equal(2, (await ReceiveAsync("z", group: "h")).Count);
    }

    [Fact]
    public async Task A_lite_topic_with_a_large_backlog_does_not_starve_the_others()
    {
        await CreateParentAsync();
        for (var i = 0; i < 100; i++)
        {
            await SendAsync("b", $"many {i}");
        }

        foreach (var name in new[] { "a", "c", "d", "e" })
        {
            await SendAsync(name, name);
        }

        await SyncAsync("x", LiteAction.CompleteAdd, "a", "b", "c", "d", "e");
        var seen = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            seen.AddRange((await ReceiveAsync("x", batch: 4)).Select(message => message.LiteTopic!));
        }

        Assert.Equal(["a", "b", "c", "d", "e"], seen.Distinct().Order());
    }

    [Fact]
    public async Task Receipts_hold_for_messages_of_lite_topics()
    {
        await CreateParentAsync();
        await SendAsync("one", "acked");
        await SendAsync("one", "returned");
        await SyncAsync("x", LiteAction.PartialAdd, "one");
        var received = await ReceiveAsync("x");

        Assert.Null(await _broker.Ack("g", "t", received[0]));
        Assert.Null((await _broker.Run(node => node.ChangeInvisibleAsync(
            "g", "t", received[1].ReceiptHandle, TimeSpan.Zero, suspend: false, None))).Failure);
        var again = Assert.Single(await ReceiveAsync("x"));

        Assert.Equal(("returned", 2), (TestBroker.Text(again), again.Attempt));
    }

    [Fact]
    public async Task A_dead_letter_keeps_its_lite_topic_and_goes_back_there()
    {
        await CreateParentAsync();
        await SendAsync("other", "first queue");
        await SendAsync("one", "m");
        await SyncAsync("x", LiteAction.PartialAdd, "one");
        var delivered = Assert.Single(await ReceiveAsync("x"));

        Assert.Null(await _broker.Run(node => node.ForwardToDeadLetterAsync("g", "t", delivered.ReceiptHandle, None)));
        var letter = Assert.Single(await _broker.Receive("reader", "%DLQ%g"));
        var resent = await _broker.Run(node => node.ResendDeadLettersAsync("g", [new LetterPlace(0, default)], None));
        var again = Assert.Single(await ReceiveAsync("x"));

        Assert.Equal("one", letter.LiteTopic);
        Assert.Null(Assert.Single(resent.Outcomes));
        Assert.Equal(("m", "one"), (TestBroker.Text(again), again.LiteTopic));
    }

    [Fact]
    public async Task In_an_ordered_group_a_lite_topic_is_handed_out_in_order()
    {
        await CreateParentAsync();
        await _broker.CreateGroup(new GroupSpec { Name = "g", Fifo = true });
        foreach (var (name, body) in new[] { ("one", "1"), ("one", "2"), ("two", "3") })
        {
            await SendAsync(name, body);
        }

        await SyncAsync("x", LiteAction.CompleteAdd, "one", "two");
        var first = Assert.Single(await ReceiveAsync("x", batch: 1));
        var others = await ReceiveAsync("x");

        Assert.Equal(["1", "3"], [TestBroker.Text(first), TestBroker.Text(Assert.Single(others))]);
        Assert.Null(await _broker.Ack("g", "t", first));
        Assert.Equal("2", TestBroker.Text(Assert.Single(await ReceiveAsync("x"))));
    }

    [Theory]
    [InlineData(LiteOffsetKind.Last, 0, "0,1,2,3")]
    [InlineData(LiteOffsetKind.Min, 0, "0,1,2,3")]
    [InlineData(LiteOffsetKind.Max, 0, "")]
    [InlineData(LiteOffsetKind.Tail, 1, "3")]
    [InlineData(LiteOffsetKind.Tail, 100, "0,1,2,3")]
    [InlineData(LiteOffsetKind.Offset, 2, "2,3")]
    [InlineData(LiteOffsetKind.Offset, 9, "")]
    public async Task An_added_lite_topic_is_read_from_where_the_client_says(LiteOffsetKind kind, long value, string bodies)
    {
        await CreateParentAsync();
        for (var i = 0; i < 4; i++)
        {
            await SendAsync("one", $"{i}");
        }

        var sync = new LiteSync("g", "t", "x", LiteAction.PartialAdd, ["one"], new LiteOffset(kind, value));
        Assert.Null(await _broker.Run(node => node.SyncLiteAsync(sync, None)));
        var received = await ReceiveAsync("x");

        Assert.Equal(bodies, string.Join(',', received.Select(TestBroker.Text)));
    }

    [Fact]
    public async Task An_added_lite_topic_is_read_from_a_time_on()
    {
        await CreateParentAsync();
        await SendAsync("one", "before");
        _broker.Advance(TimeSpan.FromSeconds(10));
        var time = _broker.Time.NowMicroseconds;
        _broker.Advance(TimeSpan.FromSeconds(10));
        await SendAsync("one", "after");

        var sync = new LiteSync("g", "t", "x", LiteAction.PartialAdd, ["one"], new LiteOffset(LiteOffsetKind.Time, time));
        Assert.Null(await _broker.Run(node => node.SyncLiteAsync(sync, None)));

        Assert.Equal("after", TestBroker.Text(Assert.Single(await ReceiveAsync("x"))));
    }

    [Fact]
    public async Task A_leader_that_is_new_gives_a_client_nothing_until_it_hears_its_set_and_loses_nothing()
    {
        await CreateParentAsync();
        await SendAsync("one", "m");
        await SyncAsync("x", LiteAction.PartialAdd, "one");

        _broker.Restart(graceful: false);
        Assert.Empty(await ReceiveAsync("x"));
        await SyncAsync("x", LiteAction.CompleteAdd, "one");

        Assert.Equal("m", TestBroker.Text(Assert.Single(await ReceiveAsync("x"))));
        Assert.Equal(_broker.ReplayedStateHash(), _broker.Node.Machine.StateHash);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Lite_topics_survive_a_restart_from_the_checkpoint_and_from_the_log(bool graceful)
    {
        await CreateParentAsync();
        await SendAsync("one", "1");
        await SendAsync("two", "2");
        await DeleteAsync("one");
        await SendAsync("three", "3");
        var hash = _broker.Node.Machine.StateHash;

        _broker.Restart(graceful);

        Assert.Equal(hash, _broker.Node.Machine.StateHash);
        Assert.Equal(["three", "two"], await NamesAsync());
        await SyncAsync("x", LiteAction.CompleteAdd, "two", "three");
        Assert.Equal(["2", "3"], (await ReceiveAsync("x")).Select(TestBroker.Text).Order());
    }

    [Fact]
    public async Task A_deleted_lite_topic_takes_its_messages_along_and_its_queue_serves_another_one()
    {
        await CreateParentAsync();
        await SendAsync("old", "gone");
        await SyncAsync("x", LiteAction.CompleteAdd, "old", "new");
        var leased = Assert.Single(await ReceiveAsync("x"));
        await SendAsync("old", "gone as well");

        await DeleteAsync("old");
        await SendAsync("new", "kept");
        var received = await ReceiveAsync("x");

        Assert.Equal(("kept", "new"), (TestBroker.Text(Assert.Single(received)), received[0].LiteTopic));
        Assert.Equal(leased.QueueId, received[0].QueueId);
        await _broker.Ack("g", "t", leased);
        Assert.Null(await _broker.Ack("g", "t", received[0]));
        Assert.Equal(["new"], await NamesAsync());
    }

    [Fact]
    public async Task A_message_that_was_encoded_for_a_lite_topic_that_ended_goes_to_its_successor_of_that_name_only()
    {
        await CreateParentAsync();
        await SendAsync("old", "first");
        _broker.Log.IsHeld = true;
        var deleted = _broker.Start(node => node.DeleteLiteAsync("t", "old", None));
        var sent = _broker.Start(node => node.AppendAsync("t", [Draft("old", "late")], None));
        _broker.Log.IsHeld = false;
        _broker.Settle();

        Assert.Null(await deleted);
        Assert.True((await sent).Succeeded, (await sent).Failure?.ToString());
        await SyncAsync("x", LiteAction.CompleteAdd, "old");
        Assert.Equal("late", TestBroker.Text(Assert.Single(await ReceiveAsync("x"))));
    }

    [Fact]
    public async Task A_lite_topic_ends_when_it_is_idle_and_consumed_and_no_client_asks_for_it()
    {
        await CreateParentAsync(expirySeconds: 300);
        await SendAsync("consumed", "a");
        await SendAsync("unread", "b");
        await SyncAsync("x", LiteAction.CompleteAdd, "consumed");
        Assert.Null(await _broker.Ack("g", "t", Assert.Single(await ReceiveAsync("x"))));

        // The client is alive for 90 s from its last call on; its set counts for as long.
        _broker.Advance(TimeSpan.FromSeconds(250));
        Assert.Equal(["consumed", "unread"], await NamesAsync());
        _broker.Advance(TimeSpan.FromSeconds(200));

        Assert.Equal(["unread"], await NamesAsync());
        Assert.Equal(_broker.ReplayedStateHash(), _broker.Node.Machine.StateHash);
    }

    [Fact]
    public async Task A_lite_topic_that_a_living_client_asks_for_does_not_end()
    {
        await CreateParentAsync(expirySeconds: 60);
        await SendAsync("one", "a");
        await SyncAsync("x", LiteAction.CompleteAdd, "one");
        Assert.Null(await _broker.Ack("g", "t", Assert.Single(await ReceiveAsync("x"))));

        for (var i = 0; i < 20; i++)
        {
            await SyncAsync("x", LiteAction.CompleteAdd, "one");
            _broker.Advance(TimeSpan.FromSeconds(30));
        }

        Assert.Equal(["one"], await NamesAsync());
    }

    [Fact]
    public async Task The_number_of_lite_topics_and_that_of_a_clients_set_are_bounded()
    {
        await CreateParentAsync(countMax: 2);
        await _broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { LiteSubscriptionQuota = 2 } });
        await SendAsync("a", "1");
        await SendAsync("b", "2");

        var third = await TrySendAsync(Draft("c", "3"));
        var tooMany = await TrySyncAsync("x", LiteAction.PartialAdd, "g", "a", "b", "c");
        await SyncAsync("x", LiteAction.PartialAdd, "a", "b");
        var oneMore = await TrySyncAsync("x", LiteAction.PartialAdd, "g", "c");
        var repeated = await TrySyncAsync("x", LiteAction.PartialAdd, "g", "b");
        await DeleteAsync("a");
        var room = await TrySendAsync(Draft("c", "3"));

        Assert.Equal(BrokenRule.LiteTopicQuota, third.Failure?.Rule);
        Assert.Contains("2 are allowed", third.Failure?.Detail, StringComparison.Ordinal);
        Assert.Equal(BrokenRule.LiteSubscriptionQuota, tooMany?.Rule);
        Assert.Equal(BrokenRule.LiteSubscriptionQuota, oneMore?.Rule);
        Assert.Null(repeated);
        Assert.True(room.Succeeded, room.Failure?.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("line\nbreak")]
    [InlineData("../x")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public async Task A_bad_name_is_refused_on_send_and_subscription(string? name)
    {
        await CreateParentAsync();

        var sent = await TrySendAsync(Draft(name!, "m"));
        var synced = await TrySyncAsync("x", LiteAction.PartialAdd, "g", name!);

        Assert.Equal(BrokenRule.LiteTopic, sent.Failure?.Rule);
        Assert.Equal(BrokenRule.LiteTopic, synced?.Rule);
        Assert.Contains("'lite_topic'", synced?.Detail, StringComparison.Ordinal);
        Assert.Empty(await NamesAsync());
    }

    [Fact]
    public async Task What_does_not_go_together_is_refused()
    {
        await CreateParentAsync();
        await _broker.CreateTopic("normal");

        var subscribed = await _broker.Run(node => node.SyncLiteAsync(
            new LiteSync("g", "normal", "x", LiteAction.PartialAdd, ["a"]), None));
        var missing = await _broker.Run(node => node.SyncLiteAsync(
            new LiteSync("g", "missing", "x", LiteAction.PartialAdd, ["a"]), None));
        var grouped = await TrySendAsync(Draft("a", "m") with { MessageGroup = "g" });
        var normal = await TrySendAsync(TestBroker.Draft("m"));
        var batch = await TrySendAsync(Draft("a", "1"), Draft("b", "2"));
        var deleted = await _broker.Run(node => node.DeleteLiteAsync("t", "unknown", None));
        var grown = await _broker.Run(node => node.UpdateTopicAsync(new TopicChange { Name = "t", QueueCount = 4 }, None));
        var turned = await _broker.Run(node => node.UpdateTopicAsync(
            new TopicChange { Name = "normal", AcceptedTypes = MessageTypeSet.Lite }, None));

        Assert.Equal(BrokenRule.TopicName, subscribed?.Rule);
        Assert.Equal(BrokerError.TopicNotFound, missing?.Error);
        Assert.Equal(BrokenRule.MessageTypeConflict, grouped.Failure?.Rule);
        Assert.Equal(BrokerError.MessageTypeMismatch, normal.Failure?.Error);
        Assert.Equal(BrokenRule.Batch, batch.Failure?.Rule);
        Assert.Equal(BrokerError.TopicNotFound, deleted?.Error);
        Assert.Equal(BrokenRule.QueueCount, grown?.Rule);
        Assert.Equal(BrokenRule.MessageTypes, turned?.Rule);
    }

    private static MessageDraft Draft(string name, string body) =>
        TestBroker.Draft(body) with { Type = MessageType.Lite, LiteTopic = name };

    [Fact]
    public async Task What_a_quota_refuses_makes_no_lite_topic_and_a_first_message_is_charged_once()
    {
        await CreateParentAsync();
        var change = new TopicChange { Name = "t", ProduceMessagesPerSecond = 2 };
        Assert.Null(await _broker.Run(node => node.UpdateTopicAsync(change, None)));
        await SendAsync("one", "a");
        await SendAsync("one", "b");

        var refused = await TrySendAsync(Draft("two", "c"));
        var lites = await _broker.Run(node => node.ListLitesAsync("t", "", 10, None));
        _broker.Advance(TimeSpan.FromSeconds(1));
        await SendAsync("two", "c");
        await SendAsync("two", "d");

        Assert.Equal(BrokerError.QuotaExceeded, refused.Failure?.Error);
        Assert.Equal(["one"], lites.Lites.Select(lite => lite.Name));
        Assert.Equal(BrokerError.QuotaExceeded, (await TrySendAsync(Draft("two", "e"))).Failure?.Error);
    }

    [Fact]
    public async Task Each_client_of_a_broadcast_group_gets_the_lite_topics_of_its_own_set()
    {
        await CreateParentAsync();
        await _broker.CreateGroup(new GroupSpec { Name = "all", Settings = new GroupSettings { Broadcast = true } });
        Assert.Null(await TrySyncAsync("x", LiteAction.CompleteAdd, "all", "one"));
        Assert.Null(await TrySyncAsync("y", LiteAction.CompleteAdd, "all", "one", "two"));
        Assert.Empty(await ReceiveAsync("x", "all"));
        Assert.Empty(await ReceiveAsync("y", "all"));
        await SendAsync("one", "a");
        await SendAsync("two", "b");

        var ofX = await ReceiveAsync("x", "all");
        var ofY = await ReceiveAsync("y", "all");

        Assert.Equal(["a"], ofX.Select(TestBroker.Text));
        Assert.Equal(["a", "b"], ofY.Select(TestBroker.Text).Order());
        Assert.Equal(["x", "y"], _broker.Node.FindLiteClients("all", "t", "one").Order());
        Assert.Equal(["y"], _broker.Node.FindLiteClients("all", "t", "two"));
    }

    private async Task CreateParentAsync(double expirySeconds = 86_400, int countMax = 100)
    {
        var spec = new TopicSpec
        {
            Name = "t",
            QueueCount = 1,
            AcceptedTypes = MessageTypeSet.Lite,
            LiteExpiry = TimeSpan.FromSeconds(expirySeconds),
            LiteTopicsMax = countMax,
        };
        Assert.Null(await _broker.Run(node => node.CreateTopicAsync(spec, None)));
    }

    private async Task SendAsync(string name, string body)
    {
        var outcome = await TrySendAsync(Draft(name, body));
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
    }

    private async Task<AppendOutcome> TrySendAsync(params MessageDraft[] drafts) =>
        await _broker.Run(node => node.AppendAsync("t", drafts, None));

    private async Task SyncAsync(string client, LiteAction action, params string[] names) =>
        Assert.Null(await TrySyncAsync(client, action, "g", names));

    private async Task<BrokerFailure?> TrySyncAsync(string client, LiteAction action, string group, params string[] names) =>
        await _broker.Run(node => node.SyncLiteAsync(new LiteSync(group, "t", client, action, names), None));

    private async Task<IReadOnlyList<DeliveredMessage>> ReceiveAsync(string client, string group = "g", int batch = 32)
    {
        var outcome = await _broker.Run(node => node.ReceiveAsync(RequestOf(client, group, batch), None));
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        return outcome.Messages;
    }

    private Task<ReceiveOutcome> Poll(string client) => _broker.Start(node => node.ReceiveAsync(
        RequestOf(client, "g", 32) with { LongPoll = TimeSpan.FromSeconds(10) }, None));

    private static ReceiveRequest RequestOf(string client, string group, int batch) =>
        TestBroker.Request(group, "t", batch, 30, "*", null) with { ClientId = client };

    // Which of a few lite topics a client is given a new message of.
    private async Task<List<string>> ReachableAsync(string client)
    {
        foreach (var name in new[] { "a", "b", "c", "d" })
        {
            await SendAsync(name, $"{name} {Guid.NewGuid()}");
        }

        var received = await ReceiveAsync(client);
        return [.. received.Select(message => message.LiteTopic!).Distinct().Order()];
    }

    private async Task DeleteAsync(string name) =>
        Assert.Null(await _broker.Run(node => node.DeleteLiteAsync("t", name, None)));

    private async Task<IEnumerable<string>> NamesAsync() =>
        (await _broker.Run(node => node.ListLitesAsync("t", "", 100, None))).Lites.Select(lite => lite.Name);
}
