using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;

namespace Dledger.Broker.Tests.Idempotence;

public sealed class IdWindowTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_repeat_of_a_message_id_is_stored_once_and_answered_with_the_first_result()
    {
        var broker = await BrokerWith(TimeSpan.FromMinutes(2));
        var first = await broker.Send("t", "a");
        await broker.Send("t", "b");

        var repeat = await broker.Send("t", "a");

        Assert.Equal(first with { IsDuplicate = true }, repeat);
        Assert.False(first.IsDuplicate);
        Assert.Equal(["a", "b"], (await broker.Receive("g", "t")).Select(TestBroker.Text).Order());
    }

    [Fact]
    public async Task A_topic_without_a_window_stores_every_message()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");

        await broker.Send("t", "a");
        await broker.Send("t", "a");

        Assert.Equal(2, (await broker.Receive("g", "t")).Count);
    }

    [Fact]
    public async Task In_a_batch_each_message_has_its_own_outcome()
    {
        var broker = await BrokerWith(TimeSpan.FromMinutes(2));
        var known = await broker.Send("t", "b");

        var outcome = await broker.Run(node => node.AppendAsync(
            "t", [TestBroker.Draft("a"), TestBroker.Draft("b"), TestBroker.Draft("a")], None));

        Assert.True(outcome.Succeeded);
        Assert.Equal([false, true, true], outcome.Messages.Select(message => message.IsDuplicate));
        Assert.Equal(known with { IsDuplicate = true }, outcome.Messages[1]);
        Assert.Equal(outcome.Messages[0] with { IsDuplicate = true }, outcome.Messages[2]);
        Assert.Equal(["a", "b"], (await broker.Receive("g", "t")).Select(TestBroker.Text).Order());
    }

    [Fact]
    public async Task An_ordered_message_is_found_as_well()
    {
        var broker = new TestBroker();
        await Create(broker, new TopicSpec
        {
            Name = "t",
            QueueCount = 4,
            AcceptedTypes = MessageTypeSet.Of(MessageType.Fifo),
            IdWindowTime = TimeSpan.FromMinutes(1),
        });
        var first = await broker.Send("t", "a", group: "group");

        var repeat = await broker.Send("t", "a", group: "group");

        Assert.Equal(first with { IsDuplicate = true }, repeat);
    }

    [Fact]
    public async Task An_id_is_forgotten_when_its_time_is_over()
    {
        var broker = await BrokerWith(TimeSpan.FromMinutes(2));
        await broker.Send("t", "a");
        broker.Advance(TimeSpan.FromSeconds(119));
        var within = await broker.Send("t", "a");
        broker.Advance(TimeSpan.FromSeconds(2));

        var after = await broker.Send("t", "a");

        Assert.True(within.IsDuplicate);
        Assert.False(after.IsDuplicate);
    }

    [Fact]
    public async Task The_oldest_id_is_forgotten_when_there_are_too_many()
    {
        var broker = await BrokerWith(TimeSpan.FromHours(1), count: 2);
        await broker.Send("t", "a");
        await broker.Send("t", "b");
        await broker.Send("t", "c");

        Assert.True((await broker.Send("t", "b")).IsDuplicate);
        Assert.False((await broker.Send("t", "a")).IsDuplicate);
        Assert.False((await broker.Send("t", "b")).IsDuplicate);
    }

    [Fact]
    public async Task A_window_that_is_taken_away_is_forgotten_and_begins_empty_when_it_comes_back()
    {
        var broker = await BrokerWith(TimeSpan.FromHours(1));
        await broker.Send("t", "a");
        await Update(broker, new TopicChange { Name = "t", IdWindowTime = TimeSpan.Zero });
        await Update(broker, new TopicChange { Name = "t", IdWindowTime = TimeSpan.FromHours(1) });

        Assert.False((await broker.Send("t", "a")).IsDuplicate);
        Assert.True((await broker.Send("t", "a")).IsDuplicate);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_window_survives_a_restart_with_and_without_a_checkpoint(bool graceful)
    {
        var broker = await BrokerWith(TimeSpan.FromHours(1), queues: 3);
        var first = await broker.Send("t", "a");
        await broker.Send("t", "b");
        var hash = broker.StateHash;

        broker.Restart(graceful);

        Assert.Equal(hash, broker.StateHash);
        Assert.Equal(first with { IsDuplicate = true }, await broker.Send("t", "a"));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task What_the_topics_may_remember_together_has_a_bound()
    {
        var broker = new TestBroker();
        for (var i = 0; i < 10; i++)
        {
            await Create(broker, Spec($"t{i}", TimeSpan.FromHours(1), Limits.IdWindowCountMax));
        }

        var failure = await broker.Run(node => node.CreateTopicAsync(Spec("more", TimeSpan.FromHours(1), 1), None));
        var change = await broker.Run(node => node.UpdateTopicAsync(
            new TopicChange { Name = "t0", IdWindowCount = 10 }, None));

        Assert.Equal((BrokerError.InvalidArgument, BrokenRule.IdWindow), (failure!.Value.Error, failure.Value.Rule));
        Assert.Contains("10000000", failure.Value.Detail, StringComparison.Ordinal);
        Assert.Null(broker.Node.FindTopic("more"));
        Assert.Null(change);
        await Create(broker, Spec("more", TimeSpan.FromHours(1), 1));
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0.5, 0)]
    [InlineData(86_401, 0)]
    [InlineData(60, -1)]
    [InlineData(60, 1_000_001)]
    public async Task A_window_outside_the_bounds_is_refused_and_changes_nothing(double seconds, long count)
    {
        var broker = await BrokerWith(TimeSpan.FromMinutes(2));
        var hash = broker.StateHash;

        var created = await broker.Run(node => node.CreateTopicAsync(Spec("u", TimeSpan.FromSeconds(seconds), count), None));
        var changed = await broker.Run(node => node.UpdateTopicAsync(
            new TopicChange { Name = "t", IdWindowTime = TimeSpan.FromSeconds(seconds), IdWindowCount = count }, None));

        Assert.Equal(BrokenRule.IdWindow, created!.Value.Rule);
        Assert.Equal(BrokenRule.IdWindow, changed!.Value.Rule);
        Assert.Equal(hash, broker.StateHash);
    }

    private static TopicSpec Spec(string name, TimeSpan time, long count) =>
        new() { Name = name, QueueCount = 1, IdWindowTime = time, IdWindowCount = count };

    private static async Task<TestBroker> BrokerWith(TimeSpan time, long count = 0, int queues = 1)
    {
        var broker = new TestBroker();
        await Create(broker, Spec("t", time, count) with { QueueCount = queues });
        return broker;
    }

    private static async Task Create(TestBroker broker, TopicSpec spec) =>
        Assert.Null(await broker.Run(node => node.CreateTopicAsync(spec, None)));

    private static async Task Update(TestBroker broker, TopicChange change) =>
        Assert.Null(await broker.Run(node => node.UpdateTopicAsync(change, None)));
}
