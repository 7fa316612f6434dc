using Dledger.Broker.Messages;
using Dledger.Broker.Quotas;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;

namespace Dledger.Broker.Tests.Quotas;

public sealed class ProduceQuotaTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_send_beyond_the_quota_of_its_topic_is_refused_whole_with_a_hint_and_changes_nothing()
    {
        var broker = await Prepare(new QuotaRates(5, 0));
        Assert.True((await Send(broker, 3)).Succeeded);
        var (end, hash) = (broker.Log.End, broker.StateHash);

        var refused = await Send(broker, 3);

        var failure = refused.Failure!.Value;
        Assert.Equal(BrokerError.QuotaExceeded, failure.Error);
        Assert.Equal(TimeSpan.FromMilliseconds(200), failure.RetryAfter);
        Assert.Equal(
            "the topic 't' takes at most 5 messages per second, which are used up; nothing was stored; retry in 200 ms",
            failure.Detail);
        Assert.Equal((end, hash), (broker.Log.End, broker.StateHash));
        Assert.True((await Send(broker, 2)).Succeeded);
    }

    [Fact]
    public async Task After_the_hinted_time_the_same_send_is_stored()
    {
        var broker = await Prepare(new QuotaRates(5, 0));
        await Send(broker, 5);
        var hint = (await Send(broker, 4)).Failure!.Value.RetryAfter;

        broker.Time.Advance(hint - TimeSpan.FromMilliseconds(1));
        Assert.False((await Send(broker, 4)).Succeeded);
        broker.Time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.True((await Send(broker, 4)).Succeeded);
        Assert.False((await Send(broker, 1)).Succeeded);
    }

    [Fact]
    public async Task A_quota_in_bytes_counts_records_and_a_larger_message_passes_when_nothing_is_used()
    {
        var broker = await Prepare(new QuotaRates(0, 1_000));

        Assert.True((await Send(broker, 1, bodyBytes: 5_000)).Succeeded);
        var refused = await Send(broker, 1, bodyBytes: 1);

        Assert.Contains("at most 1000 bytes per second", refused.Failure!.Value.Detail, StringComparison.Ordinal);
        broker.Time.Advance(TimeSpan.FromSeconds(4));
        Assert.False((await Send(broker, 1, bodyBytes: 1)).Succeeded);
        broker.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.True((await Send(broker, 1, bodyBytes: 1)).Succeeded);
    }

    [Fact]
    public async Task A_client_has_a_quota_of_its_own_over_all_topics()
    {
        var broker = new TestBroker(new BrokerOptions { AutoCreateTopics = true, ClientQuota = new QuotaRates(2, 0) });
        await broker.CreateTopic("t");
        await broker.CreateTopic("u");
        Assert.True((await Send(broker, 1, client: "one")).Succeeded);
        Assert.True((await Send(broker, 1, client: "one", topic: "u")).Succeeded);

        var refused = await Send(broker, 1, client: "one");

        Assert.StartsWith("a client may send at most 2 messages per second", refused.Failure!.Value.Detail, StringComparison.Ordinal);
        Assert.True((await Send(broker, 1, client: "two")).Succeeded);
        Assert.True((await Send(broker, 50, client: "")).Succeeded);
    }

    [Fact]
    public async Task What_the_client_may_not_send_is_not_charged_to_the_topic()
    {
        var broker = new TestBroker(new BrokerOptions { ClientQuota = new QuotaRates(2, 0) });
        await Create(broker, new QuotaRates(4, 0));
        await Send(broker, 2, client: "one");
        Assert.False((await Send(broker, 2, client: "one")).Succeeded);

        Assert.True((await Send(broker, 2, client: "two")).Succeeded);
        Assert.Contains("topic", (await Send(broker, 1, client: "three")).Failure!.Value.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_quota_can_be_changed_and_taken_away()
    {
        var broker = await Prepare(new QuotaRates(1, 0));
        await Send(broker, 1);
        Assert.False((await Send(broker, 1)).Succeeded);

        Assert.Null(await broker.Run(node => node.UpdateTopicAsync(
            new TopicChange { Name = "t", ProduceMessagesPerSecond = 0 }, None)));

        Assert.True((await Send(broker, 100)).Succeeded);
        Assert.Equal(QuotaRates.None, broker.Node.FindTopic("t")!.Settings.ProduceQuota);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Theory]
    [InlineData(-1, 0, "produce_messages_per_second")]
    [InlineData(0, -1, "produce_bytes_per_second")]
    [InlineData((1L << 40) + 1, 0, "produce_messages_per_second")]
    [InlineData(0, (1L << 40) + 1, "produce_bytes_per_second")]
    public async Task A_rate_outside_its_range_is_refused_by_name(long messages, long bytes, string field)
    {
        var broker = await Prepare(QuotaRates.None);
        var change = new TopicChange { Name = "t", ProduceMessagesPerSecond = messages, ProduceBytesPerSecond = bytes };

        var failure = await broker.Run(node => node.UpdateTopicAsync(change, None));

        Assert.Equal(BrokerError.InvalidArgument, failure?.Error);
        Assert.Contains($"'{field}'", failure!.Value.Detail, StringComparison.Ordinal);
        Assert.Contains("1099511627776", failure.Value.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quotas_survive_a_restart_and_a_new_leader_begins_with_full_buckets()
    {
        var broker = await Prepare(new QuotaRates(3, 10_000));
        await Send(broker, 3);
        Assert.False((await Send(broker, 1)).Succeeded);

        broker.Restart(graceful: true);

        Assert.Equal(new QuotaRates(3, 10_000), broker.Node.FindTopic("t")!.Settings.ProduceQuota);
        Assert.True((await Send(broker, 3)).Succeeded);
        Assert.False((await Send(broker, 1)).Succeeded);
    }

    [Fact]
    public async Task Delayed_and_transactional_messages_are_charged_and_their_copies_are_not()
    {
        var broker = new TestBroker();
        var spec = new TopicSpec
        {
            Name = "t",
            QueueCount = 1,
            AcceptedTypes = MessageTypeSet.Of(MessageType.Delay, MessageType.Transaction),
            ProduceQuota = new QuotaRates(1, 0),
        };
        Assert.Null(await broker.Run(node => node.CreateTopicAsync(spec, None)));
        await broker.SendDelayed("t", "later", TimeSpan.FromSeconds(2));

        var half = TestBroker.Draft("half") with { Type = MessageType.Transaction };
        Assert.Equal(
            BrokerError.QuotaExceeded, (await broker.Run(node => node.AppendAsync("t", [half], None))).Failure?.Error);
        broker.Advance(TimeSpan.FromSeconds(3));

        // Delivered while the quota stands: the copy took none of it.
        Assert.Single(await broker.Receive("g", "t"));
        Assert.True((await broker.Run(node => node.AppendAsync("t", [half], None))).Succeeded);
    }

    [Fact]
    public void Options_with_a_rate_outside_its_range_are_refused() => Assert.Contains(
        new BrokerOptions { ClientQuota = new QuotaRates(-1, 0) }.Validate(),
        problem => problem.StartsWith("ClientQuota:", StringComparison.Ordinal));

    private static async Task<TestBroker> Prepare(QuotaRates rates)
    {
        var broker = new TestBroker();
        await Create(broker, rates);
        return broker;
    }

    private static async Task Create(TestBroker broker, QuotaRates rates) => Assert.Null(await broker.Run(node =>
        node.CreateTopicAsync(new TopicSpec { Name = "t", QueueCount = 1, ProduceQuota = rates }, None)));

    private static Task<AppendOutcome> Send(
        TestBroker broker, int count, int bodyBytes = 10, string client = "", string topic = "t") =>
        broker.Run(node => node.AppendAsync(
            topic,
            [.. Enumerable.Range(0, count).Select(i => TestBroker.Draft($"m{i}") with { Body = new byte[bodyBytes] })],
            null,
            client,
            None));
}
