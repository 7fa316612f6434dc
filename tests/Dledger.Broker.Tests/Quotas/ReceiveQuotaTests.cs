using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Offsets;
using Dledger.Broker.Quotas;
using Dledger.Broker.Receiving;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Quotas;

public sealed class ReceiveQuotaTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_grant_is_cut_down_to_what_the_group_may_be_given()
    {
        var broker = await Prepare(new QuotaRates(3, 0), messages: 10);

        Assert.Equal(3, (await broker.Receive("g", "t")).Count);
        broker.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(3, (await broker.Receive("g", "t")).Count);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_long_poll_is_held_until_the_group_may_be_given_something_again()
    {
        var broker = await Prepare(new QuotaRates(2, 0), messages: 10);
        await broker.Receive("g", "t");
        var start = broker.Time.NowMicroseconds;

        var poll = broker.Poll("g", "t", batch: 8);
        Assert.False(poll.IsCompleted);
        broker.Advance(TimeSpan.FromSeconds(0.4));
        Assert.False(poll.IsCompleted);
        broker.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Single((await poll).Messages);
        Assert.True(broker.Time.NowMicroseconds - start >= 500_000);
    }

    [Fact]
    public async Task A_poll_whose_time_is_over_is_told_which_quota_and_when_to_come_again()
    {
        var broker = await Prepare(new QuotaRates(1, 0), messages: 3);
        await broker.Receive("g", "t");

        var atOnce = await Receive(broker, "one");
        var poll = broker.Start(node => node.ReceiveAsync(
            Request("one") with { LongPoll = TimeSpan.FromSeconds(0.5) }, None));
        broker.Advance(TimeSpan.FromSeconds(0.6));

        foreach (var failure in new[] { atOnce.Failure!.Value, (await poll).Failure!.Value })
        {
            Assert.Equal(BrokerError.QuotaExceeded, failure.Error);
            Assert.StartsWith(
                "the consumer group 'g' is given at most 1 messages per second", failure.Detail, StringComparison.Ordinal);
            Assert.Equal(TimeSpan.FromSeconds(1), failure.RetryAfter);
        }

        broker.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Single((await Receive(broker, "one")).Messages);
    }

    [Fact]
    public async Task Without_messages_nobody_is_told_of_a_quota()
    {
        var broker = await Prepare(new QuotaRates(1, 0), messages: 1);
        await broker.Receive("g", "t");

        Assert.Empty((await Receive(broker, "one")).Messages);
    }

    [Fact]
    public async Task A_quota_in_bytes_ends_a_grant_before_the_message_that_is_too_much()
    {
        var broker = await Prepare(new QuotaRates(0, 2_500), messages: 5, bodyBytes: 1_000);

        Assert.Equal(2, (await broker.Receive("g", "t")).Count);
        Assert.Equal(BrokerError.QuotaExceeded, (await Receive(broker, "one")).Failure?.Error);
        broker.Advance(TimeSpan.FromSeconds(0.5));

        Assert.Single(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task A_message_larger_than_a_second_is_given_when_nothing_is_used_and_paid_for_afterwards()
    {
        var broker = await Prepare(new QuotaRates(0, 100), messages: 3, bodyBytes: 1_000);

        Assert.Single(await broker.Receive("g", "t"));
        broker.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal(BrokerError.QuotaExceeded, (await Receive(broker, "one")).Failure?.Error);
        broker.Advance(TimeSpan.FromSeconds(5));

        Assert.Single(await broker.Receive("g", "t"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task In_an_ordered_group_a_quota_in_bytes_keeps_the_order(bool isRedelivered)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", types: MessageTypeSet.Of(MessageType.Fifo));
        await broker.CreateGroup(Group(new QuotaRates(0, isRedelivered ? 0 : 2_500)) with { Fifo = true });
        var texts = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            await broker.Run(node => node.AppendAsync("t", [Draft(i, 1_000, group: i % 2 == 0 ? "a" : "b")], None));
        }

        if (isRedelivered)
        {
            // Everything is known before the quota comes: its lease ends.
            Assert.Equal(6, (await broker.Receive("g", "t")).Count);
            broker.Advance(TimeSpan.FromSeconds(31));
            Assert.Null(await broker.Run(node => node.UpdateGroupAsync(
                new GroupChange { Name = "g", ReceiveBytesPerSecond = 2_500 }, None)));
        }

        for (var round = 0; round < 100 && texts.Count < 6; round++)
        {
            foreach (var message in (await Receive(broker, "one")).Messages)
            {
                texts.Add(message.MessageId);
                Assert.Null(await broker.Ack("g", "t", message));
            }

            broker.Advance(TimeSpan.FromMilliseconds(200));
        }

        Assert.Equal(["id-m0", "id-m2", "id-m4"], texts.Where(id => id[^1] % 2 == 0));
        Assert.Equal(["id-m1", "id-m3", "id-m5"], texts.Where(id => id[^1] % 2 == 1));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_group_whose_filter_needs_records_is_charged_for_what_it_is_given_only()
    {
        var broker = await Prepare(new QuotaRates(2, 0), messages: 0);
        for (var i = 0; i < 40; i++)
        {
            await broker.Run(node => node.AppendAsync(
                "t", [Draft(i, 10) with { UserProperties = [KeyValuePair.Create("n", $"{i % 10}")] }], None));
        }

        var first = await broker.Receive("g", "t", filter: "SQL n = 5");
        broker.Advance(TimeSpan.FromSeconds(1));
        var second = await broker.Receive("g", "t", filter: "SQL n = 5");

        Assert.Equal(["id-m5", "id-m15"], first.Select(message => message.MessageId));
        Assert.Equal(["id-m25", "id-m35"], second.Select(message => message.MessageId));
    }

    [Fact]
    public async Task A_client_has_a_quota_of_its_own_over_its_groups()
    {
        var broker = new TestBroker(new BrokerOptions { AutoCreateTopics = true, ClientQuota = new QuotaRates(2, 0) });
        await Fill(broker, messages: 10, bodyBytes: 10);

        Assert.Equal(2, (await Receive(broker, "one")).Messages.Count);
        var refused = await Receive(broker, "one", "other");
        Assert.StartsWith("a client is given at most 2 messages per second", refused.Failure!.Value.Detail, StringComparison.Ordinal);
        Assert.Equal(2, (await Receive(broker, "two")).Messages.Count);
    }

    [Fact]
    public async Task A_group_that_loses_its_quota_goes_on_at_once()
    {
        var broker = await Prepare(new QuotaRates(1, 0), messages: 10);
        await broker.Receive("g", "t");
        var poll = broker.Poll("g", "t", batch: 8);
        Assert.False(poll.IsCompleted);

        Assert.Null(await broker.Run(node => node.UpdateGroupAsync(
            new GroupChange { Name = "g", ReceiveMessagesPerSecond = 0 }, None)));

        Assert.Equal(8, (await poll).Messages.Count);
    }

    [Fact]
    public async Task A_reader_by_offset_is_bound_by_the_quota_of_its_group_and_held_like_a_receive()
    {
        var broker = await Prepare(new QuotaRates(3, 0), messages: 10);
        var first = await broker.Run(node => node.PullAsync(Pull(0), None));
        Assert.Equal(3, first.Messages.Count);

        Assert.Equal(BrokerError.QuotaExceeded, (await broker.Run(node => node.PullAsync(Pull(3), None))).Failure?.Error);
        var poll = broker.Start(node => node.PullAsync(Pull(3) with { LongPoll = TimeSpan.FromSeconds(5) }, None));
        Assert.False(poll.IsCompleted);
        broker.Advance(TimeSpan.FromSeconds(0.4));

        Assert.Equal("id-m3", Assert.Single((await poll).Messages).MessageId);
    }

    [Fact]
    public async Task A_reader_by_offset_whose_time_is_over_is_told_why_and_one_at_the_end_is_not()
    {
        var broker = await Prepare(new QuotaRates(0, 1), messages: 2);
        Assert.Single((await broker.Run(node => node.PullAsync(Pull(0), None))).Messages);

        var held = broker.Start(node => node.PullAsync(Pull(1) with { LongPoll = TimeSpan.FromSeconds(1) }, None));
        var atEnd = broker.Start(node => node.PullAsync(Pull(2) with { LongPoll = TimeSpan.FromSeconds(1) }, None));
        broker.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(BrokerError.QuotaExceeded, (await held).Failure?.Error);
        Assert.Contains("at most 1 bytes per second", (await held).Failure!.Value.Detail, StringComparison.Ordinal);
        Assert.Null((await atEnd).Failure);
    }

    [Theory]
    [InlineData(-1, 0, "receive_messages_per_second")]
    [InlineData(0, (1L << 40) + 1, "receive_bytes_per_second")]
    public async Task A_rate_outside_its_range_is_refused_by_name(long messages, long bytes, string field)
    {
        var broker = await Prepare(QuotaRates.None, messages: 0);
        var change = new GroupChange { Name = "g", ReceiveMessagesPerSecond = messages, ReceiveBytesPerSecond = bytes };

        var failure = await broker.Run(node => node.UpdateGroupAsync(change, None));

        Assert.Equal(BrokerError.InvalidArgument, failure?.Error);
        Assert.Contains($"'{field}'", failure!.Value.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_keeps_its_quota_over_a_restart_and_begins_with_full_buckets()
    {
        var broker = await Prepare(new QuotaRates(2, 100_000), messages: 10);
        await broker.Receive("g", "t");

        broker.Restart(graceful: true);

        Assert.Equal(new QuotaRates(2, 100_000), broker.Node.FindGroup("g")!.Settings.ReceiveQuota);
        Assert.Equal(2, (await broker.Receive("g", "t")).Count);
        Assert.Equal(BrokerError.QuotaExceeded, (await Receive(broker, "one")).Failure?.Error);
    }

    private static async Task<TestBroker> Prepare(QuotaRates rates, int messages, int bodyBytes = 10)
    {
        var broker = new TestBroker();
        await broker.CreateGroup(Group(rates));
        await Fill(broker, messages, bodyBytes);
        return broker;
    }

    private static GroupSpec Group(QuotaRates rates) =>
        new() { Name = "g", Settings = new GroupSettings { ReceiveQuota = rates } };

    private static async Task Fill(TestBroker broker, int messages, int bodyBytes)
    {
        await broker.CreateTopic("t");
        for (var i = 0; i < messages; i++)
        {
            await broker.Run(node => node.AppendAsync("t", [Draft(i, bodyBytes)], None));
        }
    }

    private static MessageDraft Draft(int number, int bodyBytes, string? group = null) =>
        TestBroker.Draft($"m{number}", group: group) with { Body = new byte[bodyBytes] };

    private static ReceiveRequest Request(string client, string group = "g") =>
        TestBroker.Request(group, "t", 32, 600, "*", null) with { ClientId = client };

    private static PullRequest Pull(long offset) =>
        new() { Group = "g", Topic = "t", QueueId = 0, Offset = offset, BatchSize = 32, ClientId = "reader" };

    private static Task<ReceiveOutcome> Receive(TestBroker broker, string client, string group = "g") =>
        broker.Run(node => node.ReceiveAsync(Request(client, group), None));
}
