using Dledger.Broker.Commands;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Storage.Checkpoints;
using Dledger.Testing.Golden;

namespace Dledger.Broker.Tests.Idempotence;

public sealed class ProducerSequenceTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_repeated_batch_is_stored_once_and_answered_with_the_first_result()
    {
        var broker = await Broker();
        var producer = await Init(broker);
        var first = await Send(broker, producer, 1, "a", "b", "c");
        await Send(broker, producer, 4, "d");

        var repeat = await Send(broker, producer, 1, "a", "b", "c");

        Assert.True(first.Succeeded && repeat.Succeeded);
        Assert.Equal(first.Messages.Select(message => message with { IsDuplicate = true }), repeat.Messages);
        Assert.Equal(["a", "b", "c", "d"], (await broker.Receive("g", "t")).Select(TestBroker.Text).Order());
    }

    [Fact]
    public async Task A_gap_is_refused_stores_nothing_and_may_be_filled()
    {
        var broker = await Broker();
        var producer = await Init(broker);
        await Send(broker, producer, 1, "a");

        var early = await Send(broker, producer, 3, "c");
        var filled = await Send(broker, producer, 2, "b");
        var again = await Send(broker, producer, 3, "c");

        Assert.Equal(BrokerError.SequenceOutOfOrder, early.Failure!.Value.Error);
        Assert.Contains("2 is the next", early.Failure.Value.Detail, StringComparison.Ordinal);
        Assert.True(filled.Succeeded && again.Succeeded);
        Assert.Equal(3, (await broker.Receive("g", "t")).Count);
    }

    [Fact]
    public async Task A_number_whose_result_is_forgotten_is_answered_as_stored_without_a_place()
    {
        var broker = await Broker();
        var producer = await Init(broker);
        for (var i = 1; i <= TopicSequence.RunsMax + 1; i++)
        {
            await Send(broker, producer, i, $"m{i}");
        }

        var forgotten = await Send(broker, producer, 1, "m1");
        var remembered = await Send(broker, producer, 2, "m2");

        Assert.Equal((-1L, true), (forgotten.Messages[0].QueueOffset.Value, forgotten.Messages[0].IsDuplicate));
        Assert.NotEqual(-1, remembered.Messages[0].QueueOffset.Value);
        Assert.Equal(TopicSequence.RunsMax + 1, (await broker.Receive("g", "t")).Count);
    }

    [Fact]
    public async Task A_repeat_of_messages_that_left_their_queue_keeps_their_offsets_and_has_no_positions()
    {
        var broker = await Broker();
        await broker.Run(node => node.CreateTopicAsync(
            new TopicSpec { Name = "short", QueueCount = 1, RetentionTime = TimeSpan.FromMinutes(10) }, None));
        var producer = await Init(broker);
        var first = await SendTo("short", broker, producer, 1, "a", "b");
        broker.Advance(TimeSpan.FromMinutes(12));

        var repeat = await SendTo("short", broker, producer, 1, "a", "b");

        Assert.Equal([0L, 1], repeat.Messages.Select(message => message.QueueOffset.Value));
        Assert.Equal([first.Messages[0].Position, LogPosition.Zero], repeat.Messages.Select(message => message.Position));
    }

    [Fact]
    public async Task Part_of_a_batch_may_be_known_and_the_rest_new()
    {
        var broker = await Broker();
        var producer = await Init(broker);
        await Send(broker, producer, 1, "a", "b");

        var outcome = await Send(broker, producer, 2, "b", "c");

        Assert.Equal([true, false], outcome.Messages.Select(message => message.IsDuplicate));
    }

    [Fact]
    public async Task A_named_producer_that_is_initialised_again_fences_the_former()
    {
        var broker = await Broker();
        var former = await Init(broker, "orders");
        await Send(broker, former, 1, "a");

        var latter = await Init(broker, "orders");
        var refused = await Send(broker, former, 2, "b");
        var accepted = await Send(broker, latter, 1, "c");

        Assert.Equal((former.ProducerId, former.Epoch + 1), (latter.ProducerId, latter.Epoch));
        Assert.Equal(BrokerError.ProducerFenced, refused.Failure!.Value.Error);
        Assert.True(accepted.Succeeded);
        Assert.Equal(["a", "c"], (await broker.Receive("g", "t")).Select(TestBroker.Text).Order());
    }

    [Fact]
    public async Task Producers_and_topics_are_counted_apart()
    {
        var broker = await Broker();
        await broker.CreateTopic("u");
        var one = await Init(broker);
        var other = await Init(broker);

        Assert.NotEqual(one.ProducerId, other.ProducerId);
        Assert.False((await Send(broker, one, 1, "a")).Messages[0].IsDuplicate);
        Assert.False((await Send(broker, other, 1, "b")).Messages[0].IsDuplicate);
        var elsewhere = await broker.Run(node => node.AppendAsync(
            "u", [TestBroker.Draft("c")], new ProducerSequence(one.ProducerId, 0, 1), None));
        Assert.False(elsewhere.Messages[0].IsDuplicate);
    }

    [Fact]
    public async Task A_producer_that_was_unused_for_too_long_is_told_so()
    {
        var broker = await Broker();
        var producer = await Init(broker);
        await Send(broker, producer, 1, "a");
        broker.Advance(TimeSpan.FromMinutes(59));
        var within = await Send(broker, producer, 2, "b");
        broker.Advance(TimeSpan.FromMinutes(61));

        var after = await Send(broker, producer, 3, "c");

        Assert.True(within.Succeeded);
        Assert.Equal(BrokerError.ProducerUnknown, after.Failure!.Value.Error);
    }

    [Fact]
    public void The_producer_that_was_unused_for_longest_makes_room()
    {
        var table = new ProducerTable();
        for (var i = 1; i <= Limits.ProducerCountMax; i++)
        {
            table.Init("", 3_600_000_000, new LogPosition(i), 0);
        }

        table.Use(table.Find(1, 0)!, 0);
        table.Init("", 3_600_000_000, new LogPosition(1_000_000), 0);

        Assert.Equal(Limits.ProducerCountMax, table.Count);
        Assert.NotNull(table.Find(1, 0));
        Assert.Null(table.Find(2, 0));
    }

    [Fact]
    public void A_producer_numbers_its_messages_for_so_many_topics_and_no_more()
    {
        var table = new ProducerTable();
        var producer = table.Init("", 3_600_000_000, new LogPosition(1), 0);
        for (var topic = 1; topic <= Limits.ProducerTopicCountMax; topic++)
        {
            Assert.NotNull(table.SequenceOf(producer, topic));
        }

        Assert.Null(table.SequenceOf(producer, 0));
        table.ForgetTopic(7);
        Assert.NotNull(table.SequenceOf(producer, 0));
    }

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(-5, 0, 1)]
    [InlineData(1, -1, 1)]
    [InlineData(1, 65_536, 1)]
    [InlineData(1, 0, 0)]
    [InlineData(1, 0, int.MaxValue)]
    public async Task Numbers_outside_the_bounds_are_refused_and_change_nothing(long id, int epoch, int first)
    {
        var broker = await Broker();
        var hash = broker.StateHash;

        var outcome = await broker.Run(node => node.AppendAsync(
            "t", [TestBroker.Draft("a")], new ProducerSequence(id, epoch, first), None));

        Assert.Equal((BrokerError.InvalidArgument, BrokenRule.Sequence), (outcome.Failure!.Value.Error, outcome.Failure.Value.Rule));
        Assert.Equal(hash, broker.StateHash);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("ä")]
    [InlineData("../x")]
    public async Task A_bad_name_of_a_producer_is_refused(string name)
    {
        var broker = await Broker();

        var outcome = await broker.Run(node => node.InitProducerAsync(name, None));

        Assert.Equal(BrokenRule.ProducerName, outcome.Failure!.Value.Rule);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sequences_survive_a_restart_with_and_without_a_checkpoint(bool graceful)
    {
        var broker = await Broker();
        var producer = await Init(broker, "orders");
        var first = await Send(broker, producer, 1, "a", "b");
        var hash = broker.StateHash;

        broker.Restart(graceful);
        var repeat = await Send(broker, producer, 1, "a", "b");
        var next = await Send(broker, producer, 3, "c");

        Assert.Equal(first.Messages.Select(message => message with { IsDuplicate = true }), repeat.Messages);
        Assert.False(next.Messages[0].IsDuplicate);
        Assert.NotEqual(hash, broker.StateHash);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_deleted_topic_takes_its_sequences_along()
    {
        var broker = await Broker();
        var producer = await Init(broker);
        await Send(broker, producer, 1, "a");

        Assert.Null(await broker.Run(node => node.DeleteTopicAsync("t", None)));

        var (producers, _) = await broker.Run(node => node.ListProducersAsync(None));
        Assert.Empty(Assert.Single(producers!).Topics);
        broker.Restart(graceful: true);
    }

    [Fact]
    public async Task The_list_shows_how_far_each_producer_has_come()
    {
        var broker = await Broker();
        var producer = await Init(broker, "orders");
        await Send(broker, producer, 1, "a", "b");

        var (producers, failure) = await broker.Run(node => node.ListProducersAsync(None));

        Assert.Null(failure);
        var listed = Assert.Single(producers!);
        Assert.Equal((producer.ProducerId, "orders", 0), (listed.ProducerId, listed.Name, listed.Epoch));
        Assert.Equal([new ProducerProgress("t", 2)], listed.Topics);
    }

    [Fact]
    public void The_record_that_makes_a_producer_is_frozen()
    {
        var command = new InitProducerCommand("orders", 3_600_000_000);

        GoldenFile.Check("init-producer-v1.hex", command.Encode());
        Assert.Equal(command, InitProducerCommand.Decode(command.Encode()));
    }

    [Theory]
    [InlineData("ids")]
    [InlineData("producers")]
    public async Task A_part_of_the_checkpoint_is_frozen(string part)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 2);
        var change = new TopicChange { Name = "t", IdWindowTime = TimeSpan.FromHours(1), IdWindowCount = 5 };
        Assert.Null(await broker.Run(node => node.UpdateTopicAsync(change, None)));
        var producer = await Init(broker, "orders");
        await Send(broker, producer, 1, "a", "b");
        await Send(broker, producer, 3, "a", "c");
        broker.Restart(graceful: true);

        var checkpoint = new StateCheckpointStore(broker.Disk, "state").ReadNewest(broker.Log.End, out _);

        GoldenFile.Check($"state-{part}-v1.hex", checkpoint!.Parts[part]);
    }

    private static async Task<TestBroker> Broker()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 2);
        return broker;
    }

    private static async Task<InitProducerOutcome> Init(TestBroker broker, string name = "")
    {
        var outcome = await broker.Run(node => node.InitProducerAsync(name, None));
        Assert.Null(outcome.Failure);
        return outcome;
    }

    private static Task<AppendOutcome> Send(TestBroker broker, InitProducerOutcome producer, int first, params string[] bodies) =>
        SendTo("t", broker, producer, first, bodies);

    private static Task<AppendOutcome> SendTo(
        string topic, TestBroker broker, InitProducerOutcome producer, int first, params string[] bodies) =>
        broker.Run(node => node.AppendAsync(
            topic,
            [.. bodies.Select(body => TestBroker.Draft(body))],
            new ProducerSequence(producer.ProducerId, producer.Epoch, first),
            None));
}
