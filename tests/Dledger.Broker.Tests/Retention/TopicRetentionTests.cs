using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Records;

namespace Dledger.Broker.Tests.Retention;

public sealed class TopicRetentionTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Messages_go_once_they_have_the_age_of_their_topic_and_no_younger_one_goes()
    {
        var broker = new TestBroker();
        await Create(broker, new TopicSpec { Name = "t", QueueCount = 1, RetentionTime = TimeSpan.FromMinutes(10) });
        await broker.CreateTopic("u", queues: 1);
        for (var minute = 0; minute < 30; minute++)
        {
            await broker.Send("t", $"t{minute}");
            await broker.Send("u", $"u{minute}");
            broker.Advance(TimeSpan.FromMinutes(1));
        }

        broker.Advance(TimeSpan.FromSeconds(30));
        var kept = (await broker.Receive("g", "t")).Select(TestBroker.Text).ToList();

        Assert.Equal(Enumerable.Range(21, 9).Select(minute => $"t{minute}"), kept);
        Assert.Equal(30, (await broker.Receive("g", "u")).Count);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(40)]
    public async Task A_new_leader_finds_the_age_of_the_messages_by_the_log(int seed)
    {
        var random = new Random(seed);
        var broker = new TestBroker();
        await Create(broker, new TopicSpec { Name = "t", QueueCount = 3, RetentionTime = TimeSpan.FromHours(1) });
        var sent = new List<AppendedMessage>();
        for (var i = 0; i < 200; i++)
        {
            sent.Add(await broker.Send("t", $"m{i}"));
            broker.Time.Advance(TimeSpan.FromSeconds(random.Next(60)));
        }

        broker.Restart(graceful: false);
        broker.Advance(TimeSpan.FromMinutes(2));

        var now = broker.Log.LogTimeNow;
        var (topic, _) = await broker.Run(node => node.DescribeTopicAsync("t", None));
        foreach (var message in sent)
        {
            var age = now - message.StoreTimeMicroseconds;
            var isKept = message.QueueOffset >= topic!.Queues[message.QueueId].Min;
            Assert.True(isKept || age >= 3_600_000_000L, $"seed {seed}: a message of {age} us is gone");
            Assert.True(!isKept || age <= 3_660_000_000L, $"seed {seed}: a message of {age} us is still there");
        }
    }

    [Fact]
    public async Task Leases_and_owed_copies_of_messages_that_went_end_and_groups_go_on_behind_them()
    {
        var broker = new TestBroker();
        await Create(broker, new TopicSpec { Name = "t", QueueCount = 1, RetentionTime = TimeSpan.FromMinutes(10) });
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { MaxAttempts = 1 } });
        await broker.Send("t", "leased");
        await broker.Send("t", "unread");
        var leased = Assert.Single(await broker.Receive("g", "t", batch: 1, invisibleSeconds: 3_600));
        broker.Advance(TimeSpan.FromMinutes(9));
        await broker.Send("t", "kept");
        broker.Advance(TimeSpan.FromMinutes(2));

        await broker.Ack("g", "t", leased);

        broker.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(broker.Node.Machine.State.Leases.All);
        Assert.Equal("kept", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
        Assert.Equal("kept", TestBroker.Text(Assert.Single(await broker.Receive("new", "t"))));
        Assert.Null(broker.Node.FindTopic("%DLQ%g"));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task A_topic_keeps_the_bytes_that_it_wishes_and_few_more(int queues)
    {
        var broker = new TestBroker();
        const long Wanted = 100_000;
        await Create(broker, new TopicSpec { Name = "t", QueueCount = queues, RetentionBytes = Wanted });
        for (var i = 0; i < 900; i++)
        {
            await broker.Send("t", $"m{i}-{new string('x', i % 200)}");
        }

        broker.Restart(graceful: false);
        broker.Advance(TimeSpan.FromMinutes(1));

        var (topic, _) = await broker.Run(node => node.DescribeTopicAsync("t", None));
        var kept = 0L;
        foreach (var queue in topic!.Queues)
        {
            var entries = new Storage.Queues.ConsumeQueueEntry[queue.Max - queue.Min];
            broker.Node.Machine.State.Topics.Find("t")!.Queues[queue.QueueId].Read(queue.Min.Value, entries);
            kept += entries.Sum(entry => entry.Size);
        }

        Assert.InRange(kept, Wanted, Wanted * 11 / 10);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_retention_is_set_changed_and_taken_away_and_survives_a_restart_from_a_checkpoint()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        var set = new TopicChange { Name = "t", RetentionTime = TimeSpan.FromHours(2), RetentionBytes = 1_000_000 };
        Assert.Null(await broker.Run(node => node.UpdateTopicAsync(set, None)));
        Assert.Null(await broker.Run(node => node.UpdateTopicAsync(new TopicChange { Name = "t", RetentionBytes = 5 }, None)));

        broker.Restart();

        Assert.NotEqual(LogPosition.Zero, broker.RestoredAt);
        Assert.Equal(new TopicRetention(7_200_000_000, 5), broker.Node.FindTopic("t")?.Retention);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
        var gone = new TopicChange { Name = "t", RetentionTime = TimeSpan.Zero, RetentionBytes = 0, QueueCount = 3 };
        Assert.Null(await broker.Run(node => node.UpdateTopicAsync(gone, None)));
        Assert.Equal(default(TopicRetention), broker.Node.FindTopic("t")?.Retention);
        Assert.Equal(3, broker.Node.FindTopic("t")?.QueueCount);
        broker.Restart();
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_trim_never_takes_back_and_does_nothing_when_the_topic_wishes_something_else_by_then()
    {
        var broker = new TestBroker();
        await Create(broker, new TopicSpec { Name = "t", QueueCount = 1, RetentionTime = TimeSpan.FromHours(1) });
        for (var i = 0; i < 5; i++)
        {
            await broker.Send("t", $"m{i}");
        }

        var topic = broker.Node.FindTopic("t")!;
        Trim(broker, new TopicTrimCommand(topic.Id, new TopicRetention(1, 0), [(0, 4)]));
        Assert.Equal(0, await Min(broker));
        Trim(broker, new TopicTrimCommand(topic.Id, topic.Retention, [(0, 3), (7, 1)]));
        Assert.Equal(3, await Min(broker));
        Trim(broker, new TopicTrimCommand(topic.Id, topic.Retention, [(0, 2)]));
        Assert.Equal(3, await Min(broker));
        Trim(broker, new TopicTrimCommand(topic.Id, topic.Retention, [(0, 99)]));
        Assert.Equal(5, await Min(broker));
        Trim(broker, new TopicTrimCommand(999, topic.Retention, [(0, 1)]));

        Assert.Equal(5, (await broker.Send("t", "next")).QueueOffset.Value);
        Assert.Equal("next", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task The_log_is_kept_while_a_topic_that_keeps_longer_has_messages_in_it_but_not_against_the_size()
    {
        var options = new BrokerOptions { RetentionTime = TimeSpan.FromMinutes(10), CheckpointInterval = TimeSpan.FromSeconds(1) };
        var broker = new TestBroker(options);
        await broker.CreateTopic("short");
        await Create(broker, new TopicSpec { Name = "long", QueueCount = 1, RetentionTime = TimeSpan.FromHours(2) });
        await broker.Send("short", "short");
        await broker.Send("long", "long");
        var behind = await broker.Send("short", "behind");
        Roll(broker, behind.Position);
        Checkpoint(broker);

        broker.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, broker.Node.Machine.State.LogStart.Value);
        broker.Advance(TimeSpan.FromMinutes(62));

        Assert.Equal(behind.Position.Value / 8 * 8, broker.Node.Machine.State.LogStart.Value);
    }

    [Fact]
    public async Task Files_that_hold_nothing_of_any_topic_go_before_the_clusters_retention_time()
    {
        var broker = new TestBroker(new BrokerOptions { CheckpointInterval = TimeSpan.FromSeconds(1) });
        await Create(broker, new TopicSpec { Name = "t", QueueCount = 1, RetentionTime = TimeSpan.FromMinutes(10) });
        await broker.Send("t", "old");
        broker.Advance(TimeSpan.FromMinutes(5));
        var kept = await broker.Send("t", "kept");
        Roll(broker, kept.Position);
        Checkpoint(broker);

        broker.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(0, broker.Node.Machine.State.LogStart.Value);
        broker.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(kept.Position.Value / 8 * 8, broker.Node.Machine.State.LogStart.Value);
    }

    [Fact]
    public async Task A_record_with_a_rotten_store_time_gives_up_no_young_message()
    {
        var broker = new TestBroker();
        await Create(broker, new TopicSpec { Name = "t", QueueCount = 1, RetentionTime = TimeSpan.FromHours(1) });
        await broker.Send("t", "old");
        await broker.Send("t", "as old");
        broker.Advance(TimeSpan.FromMinutes(50));
        var young = new List<AppendedMessage>();
        for (var i = 0; i < 8; i++)
        {
            young.Add(await broker.Send("t", $"young{i}"));
        }

        // The search looks here before it knows that the one before is young.
        broker.Log.AgedAt = young[1].Position;
        broker.Advance(TimeSpan.FromMinutes(12));

        Assert.InRange(await Min(broker), 0, 2);
    }

    [Fact]
    public async Task A_look_reads_few_records_and_the_next_ones_go_on_until_all_that_expired_is_gone()
    {
        var broker = new TestBroker();
        for (var topic = 0; topic < 20; topic++)
        {
            await Create(
                broker, new TopicSpec { Name = $"t{topic}", QueueCount = 4, RetentionTime = TimeSpan.FromMinutes(10) });
            for (var i = 0; i < 40; i++)
            {
                await broker.Send($"t{topic}", $"{topic}-{i}");
            }
        }

        broker.Time.Advance(TimeSpan.FromMinutes(11));
        broker.Restart(graceful: false);
        for (var second = 0; second < 60; second++)
        {
            var before = broker.Log.ReadCount;
            broker.Advance(TimeSpan.FromSeconds(1));
            Assert.InRange(broker.Log.ReadCount - before, 0, 2 * 80);
        }

        Assert.All(
            broker.Node.Machine.State.Topics.All.SelectMany(topic => topic.Queues),
            queue => Assert.Equal((10, 10), (queue.Min, queue.Max)));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(90_000_000.0, 0)]
    [InlineData(0, -1)]
    public async Task A_retention_out_of_range_is_refused_with_the_range(double hours, long bytes)
    {
        var broker = new TestBroker();
        var time = hours == 0.5 ? TimeSpan.FromMilliseconds(1) : TimeSpan.FromHours(Math.Min(hours, 1_000_000));

        var failure = await broker.Run(node => node.CreateTopicAsync(
            new TopicSpec { Name = "t", RetentionTime = time, RetentionBytes = bytes }, None));

        Assert.Equal(BrokenRule.Retention, failure?.Rule);
        Assert.Contains("are allowed", failure?.Detail, StringComparison.Ordinal);
        Assert.Null(broker.Node.FindTopic("t"));
    }

    private static async Task Create(TestBroker broker, TopicSpec spec) =>
        Assert.Null(await broker.Run(node => node.CreateTopicAsync(spec, None)));

    private static async Task<long> Min(TestBroker broker) =>
        (await broker.Run(node => node.DescribeTopicAsync("t", None))).Topic!.Queues[0].Min.Value;

    private static void Trim(TestBroker broker, TopicTrimCommand command)
    {
        var record = ControlRecord.Encode(RecordKind.TopicTrim, command.Encode());
        Assert.True(broker.Log.TryPropose(new UnawaitedProposal(record, 1), out _));
        broker.Settle();
    }

    // The file that begins with the frame of a message.
    private static void Roll(TestBroker broker, LogPosition message)
    {
        broker.Log.SegmentList.Clear();
        broker.Log.SegmentList.Add(new LogSegment(LogPosition.Zero, 0));
        broker.Log.SegmentList.Add(new LogSegment(new LogPosition(message.Value / 8 * 8), broker.Log.LogTimeNow));
    }

    private static void Checkpoint(TestBroker broker)
    {
        broker.Time.Advance(TimeSpan.FromSeconds(2));
        broker.Log.Maintain();
    }
}
