using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Offsets;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Offsets;

public sealed class SeekTests
{
    [Fact]
    public async Task A_seek_back_delivers_finished_messages_again_with_attempts_from_the_first()
    {
        var broker = await WithMessages(5);
        foreach (var message in await broker.Receive("g", "t"))
        {
            Assert.Null(await broker.Ack("g", "t", message));
        }

        var queue = Assert.Single((await Seek(broker, SeekTarget.Offset(2), queueId: 0)).Queues);

        Assert.Equal(new QueueSeek(0, 5, 2, SkippedCount: 0, RepeatedCount: 3, CutCount: 0), queue);
        var again = await broker.Receive("g", "t");
        Assert.Equal([2L, 3, 4], again.Select(message => message.QueueOffset.Value));
        Assert.All(again, message => Assert.Equal(1, message.Attempt));
    }

    [Fact]
    public async Task A_seek_ahead_leaves_messages_out_and_their_dead_letters_and_handles_with_them()
    {
        var broker = await WithMessages(5);
        var held = await broker.Receive("g", "t", batch: 2);

        var queue = Assert.Single((await Seek(broker, SeekTarget.Latest)).Queues);

        Assert.Equal(new QueueSeek(0, 0, 5, SkippedCount: 5, RepeatedCount: 0, CutCount: 2), queue);
        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Null(await broker.Ack("g", "t", held[0]));
        broker.Advance(TimeSpan.FromSeconds(40));
        Assert.Empty(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task A_handle_from_before_a_seek_back_is_stale_and_finishes_nothing()
    {
        var broker = await WithMessages(3);
        var held = await broker.Receive("g", "t");

        Assert.Equal(3, Assert.Single((await Seek(broker, SeekTarget.Earliest)).Queues).CutCount);

        var failure = await broker.Ack("g", "t", held[1]);
        Assert.Equal(BrokerError.InvalidHandle, failure?.Error);
        Assert.Contains("moved to another offset", failure?.Detail, StringComparison.Ordinal);
        var again = await broker.Receive("g", "t");
        Assert.Equal(3, again.Count);
        Assert.Equal(BrokerError.InvalidHandle, (await broker.Ack("g", "t", held[1]))?.Error);
        Assert.Null(await broker.Ack("g", "t", again[1]));
    }

    [Fact]
    public async Task A_seek_in_the_middle_of_consumption_survives_restart_and_replay()
    {
        var broker = await WithMessages(50, queues: 4);
        var held = await broker.Receive("g", "t", batch: 20, attemptId: "a");
        Assert.Null(await broker.Ack("g", "t", held[3]));

        await Seek(broker, SeekTarget.Relative(-1));
        await broker.Receive("g", "t", batch: 7);
        await Seek(broker, SeekTarget.Offset(3));

        var hash = broker.StateHash;
        Assert.Equal(hash, broker.ReplayedStateHash());
        broker.Restart();
        Assert.Equal(hash, broker.StateHash);
    }

    [Fact]
    public async Task A_seek_takes_back_the_dead_letters_that_were_owed()
    {
        var broker = await WithMessages(1, maxAttempts: 1);
        var message = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 2));
        broker.Log.DamagedAt = message.Position;
        broker.Advance(TimeSpan.FromSeconds(3));
        Assert.Single(broker.Node.Machine.State.Leases.Obligations);

        await Seek(broker, SeekTarget.Earliest);

        Assert.Empty(broker.Node.Machine.State.Leases.Obligations);
        broker.Log.DamagedAt = null;
        Assert.Equal(1, Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 2)).Attempt);
        broker.Advance(TimeSpan.FromSeconds(90));
        Assert.Equal("m0", TestBroker.Text(Assert.Single(await broker.Receive("dead", "%DLQ%g"))));
        Assert.Empty(await broker.Receive("dead", "%DLQ%g"));
    }

    [Fact]
    public async Task A_seek_wakes_a_receive_that_waits()
    {
        var broker = await WithMessages(1);
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));
        var poll = broker.Poll("g", "t");

        await Seek(broker, SeekTarget.Earliest);

        Assert.Equal("m0", TestBroker.Text(Assert.Single((await poll).Messages)));
    }

    [Fact]
    public async Task A_seek_to_a_time_goes_to_the_first_message_of_that_time_in_each_queue()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 3);
        await broker.CreateGroup(new GroupSpec { Name = "g" });
        var sent = new List<AppendedMessage>();
        for (var i = 0; i < 60; i++)
        {
            sent.Add(await broker.Send("t", $"m{i}"));
            broker.Advance(TimeSpan.FromMilliseconds(100));
        }

        foreach (var i in new[] { 0, 1, 17, 30, 59 })
        {
            var time = sent[i].StoreTimeMicroseconds;
            var plan = await Seek(broker, SeekTarget.Time(time), isDryRun: true);

            Assert.All(plan.Queues, queue => Assert.Equal(
                sent.Count(message => message.QueueId == queue.QueueId && message.StoreTimeMicroseconds < time), queue.To));
        }

        var future = await Seek(broker, SeekTarget.Time(long.MaxValue), isDryRun: true);
        Assert.All(future.Queues, queue => Assert.Equal(20, queue.To));
        var past = await Seek(broker, SeekTarget.Time(0), isDryRun: true);
        Assert.All(past.Queues, queue => Assert.Equal(0, queue.To));
    }

    [Fact]
    public async Task A_dry_run_says_the_same_as_the_seek_and_changes_nothing()
    {
        var broker = await WithMessages(30, queues: 3);
        var held = await broker.Receive("g", "t", batch: 12);
        Assert.Null(await broker.Ack("g", "t", held[0]));
        Assert.Null(await broker.Ack("g", "t", held[5]));
        var (hash, proposals) = (broker.StateHash, broker.Log.ProposalCount);

        var plan = await Seek(broker, SeekTarget.Relative(2), isDryRun: true);

        Assert.Equal((hash, proposals), (broker.StateHash, broker.Log.ProposalCount));
        Assert.Equal(10, plan.Queues.Sum(queue => queue.CutCount));
        Assert.Equal(plan.Queues, (await Seek(broker, SeekTarget.Relative(2))).Queues);
    }

    [Fact]
    public async Task A_group_that_never_read_the_topic_can_be_sent_anywhere()
    {
        var broker = await WithMessages(3);

        Assert.Equal(
            new QueueSeek(0, 0, 2, SkippedCount: 2, RepeatedCount: 0, CutCount: 0),
            Assert.Single((await Seek(broker, SeekTarget.Offset(2), queueId: 0)).Queues));

        Assert.Equal("m2", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
    }

    [Theory]
    [InlineData("g", "t", 0, 4L, BrokerError.InvalidArgument, "0 to 3")]
    [InlineData("g", "t", 0, -1L, BrokerError.InvalidArgument, "0 to 3")]
    [InlineData("g", "t", 1, 0L, BrokerError.InvalidArgument, "0 to 0")]
    [InlineData("nobody", "t", 0, 0L, BrokerError.GroupNotFound, "nobody")]
    [InlineData("g", "nothing", 0, 0L, BrokerError.TopicNotFound, "nothing")]
    [InlineData("a b", "t", 0, 0L, BrokerError.InvalidArgument, "a b")]
    public async Task What_cannot_be_is_refused_with_its_bounds_and_changes_nothing(
        string group, string topic, int queueId, long offset, BrokerError error, string detail)
    {
        var broker = await WithMessages(3);
        var hash = broker.StateHash;

        var outcome = await broker.Run(node => node.SeekAsync(
            new SeekRequest { Group = group, Topic = topic, QueueId = queueId, Target = SeekTarget.Offset(offset) },
            CancellationToken.None));

        Assert.Equal(error, outcome.Failure?.Error);
        Assert.Contains(detail, outcome.Failure?.Detail, StringComparison.Ordinal);
        Assert.Equal(hash, broker.StateHash);
    }

    [Fact]
    public async Task A_lease_on_its_way_far_ahead_of_a_seek_back_is_dropped_and_all_is_delivered()
    {
        var broker = await WithMessages(0);
        for (var i = 0; i < 70; i++)
        {
            await broker.Run(node => node.AppendAsync(
                "t", [.. Enumerable.Range(0, 1_000).Select(n => TestBroker.Draft($"{i}-{n}"))], CancellationToken.None));
        }

        await Seek(broker, SeekTarget.Offset(69_000), queueId: 0);
        broker.Log.IsHeld = true;
        var seek = broker.Start(node => node.SeekAsync(Request(SeekTarget.Earliest), CancellationToken.None));
        var receive = broker.Start(node => node.ReceiveAsync(
            TestBroker.Request("g", "t", 1, 30, "*", null), CancellationToken.None));
        broker.Log.IsHeld = false;
        broker.Settle();

        Assert.Null((await seek).Failure);
        Assert.DoesNotContain((await receive).Messages, message => message.QueueOffset.Value > QueueCursor.LengthMax);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
        Assert.NotEmpty(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task An_ordered_group_goes_on_in_order_after_a_seek()
    {
        var broker = await WithMessages(6, isFifo: true);
        Assert.Equal(2, (await broker.Receive("g", "t", batch: 2)).Count);

        await Seek(broker, SeekTarget.Offset(1), queueId: 0);

        var messages = await broker.Receive("g", "t", batch: 3);
        Assert.Equal([1L, 2, 3], messages.Select(message => message.QueueOffset.Value));
        Assert.Empty(await broker.Receive("g", "t"));
    }

    internal static async Task<TestBroker> WithMessages(
        int count, int queues = 1, int maxAttempts = 16, bool isFifo = false)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues);
        await broker.CreateGroup(new GroupSpec
        {
            Name = "g",
            Fifo = isFifo,
            Settings = new GroupSettings { MaxAttempts = maxAttempts },
        });
        for (var i = 0; i < count; i++)
        {
            await broker.Send("t", $"m{i}");
        }

        return broker;
    }

    private static SeekRequest Request(SeekTarget target, int? queueId = null, bool isDryRun = false) =>
        new() { Group = "g", Topic = "t", QueueId = queueId, Target = target, IsDryRun = isDryRun };

    private static async Task<SeekOutcome> Seek(
        TestBroker broker, SeekTarget target, int? queueId = null, bool isDryRun = false)
    {
        var outcome = await broker.Run(
            node => node.SeekAsync(Request(target, queueId, isDryRun), CancellationToken.None));
        Assert.True(outcome.Failure is null, outcome.Failure?.ToString());
        return outcome;
    }
}
