using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;
using Dledger.Broker.Replays;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;

namespace Dledger.Broker.Tests.Replays;

public sealed class ReplayTests
{
    [Fact]
    public async Task A_replay_delivers_finished_messages_again_from_the_first_attempt_and_moves_no_offset()
    {
        var broker = await WithMessages(6);
        await Finish(broker, 4);
        var commit = await CommitOf(broker);

        var replay = await Replay(broker, Request with { QueueId = 0, FirstOffset = 1, LastOffset = 2 });

        Assert.Equal(new QueueReplay(0, PutBackCount: 2, SkippedCount: 0), Assert.Single(replay.Queues));
        Assert.Null(replay.Next);
        Assert.Equal(commit, await CommitOf(broker));
        var again = await broker.Receive("g", "t", batch: 2);
        Assert.Equal([1L, 2], again.Select(message => message.QueueOffset.Value));
        Assert.All(again, message => Assert.Equal(1, message.Attempt));
        Assert.Equal([4L, 5], (await broker.Receive("g", "t")).Select(message => message.QueueOffset.Value));
    }

    [Fact]
    public async Task What_is_not_finished_is_skipped_and_not_doubled()
    {
        var broker = await WithMessages(6);
        var held = await broker.Receive("g", "t", batch: 4);
        Assert.Null(await broker.Ack("g", "t", held[0]));
        Assert.Null(await broker.Ack("g", "t", held[2]));

        var replay = await Replay(broker, Request);

        Assert.Equal(new QueueReplay(0, PutBackCount: 2, SkippedCount: 4), Assert.Single(replay.Queues));
        Assert.Equal(1, await CommitOf(broker));
        Assert.Equal([0L, 2, 4, 5], (await broker.Receive("g", "t")).Select(message => message.QueueOffset.Value));
        Assert.Null(await broker.Ack("g", "t", held[1]));
        Assert.Null(await broker.Ack("g", "t", held[3]));
    }

    [Fact]
    public async Task A_repeated_replay_does_nothing_while_its_messages_wait()
    {
        var broker = await WithMessages(5);
        await Finish(broker, 5);
        await Replay(broker, Request);

        var second = await Replay(broker, Request);

        Assert.Equal(new QueueReplay(0, PutBackCount: 0, SkippedCount: 5), Assert.Single(second.Queues));
        Assert.Equal(5, (await broker.Receive("g", "t")).Count);
        Assert.Empty(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task The_receipt_of_the_first_time_does_not_finish_a_replayed_message()
    {
        var broker = await WithMessages(1);
        var first = Assert.Single(await broker.Receive("g", "t"));
        Assert.Null(await broker.Ack("g", "t", first));
        await Replay(broker, Request);

        var early = await broker.Ack("g", "t", first);
        var again = Assert.Single(await broker.Receive("g", "t"));
        var late = await broker.Ack("g", "t", first);

        Assert.Equal(BrokerError.InvalidHandle, early?.Error);
        Assert.Equal(BrokerError.InvalidHandle, late?.Error);
        Assert.Null(await broker.Ack("g", "t", again));
    }

    [Fact]
    public async Task A_dry_run_counts_and_changes_nothing()
    {
        var broker = await WithMessages(5);
        await Finish(broker, 3);
        var hash = broker.StateHash;

        var replay = await Replay(broker, Request with { IsDryRun = true });

        Assert.Equal(new QueueReplay(0, PutBackCount: 3, SkippedCount: 2), Assert.Single(replay.Queues));
        Assert.Equal(1_000_000, replay.RoomCount);
        Assert.Equal(hash, broker.StateHash);
    }

    [Fact]
    public async Task A_selection_goes_by_tag_sql_keys_and_ids()
    {
        foreach (var hasIndex in new[] { true, false })
        {
            var broker = new TestBroker(new BrokerOptions { AutoCreateTopics = true, KeyIndex = hasIndex });
            await broker.CreateTopic("t");
            await broker.CreateGroup(new GroupSpec { Name = "g" });
            for (var i = 0; i < 12; i++)
            {
                var draft = TestBroker.Draft($"m{i}", tag: i % 2 == 0 ? "even" : "odd") with
                {
                    Keys = [$"k{i % 3}"],
                    UserProperties = [new KeyValuePair<string, string>("n", $"{i}")],
                };
                Assert.True((await broker.Run(node => node.AppendAsync("t", [draft], CancellationToken.None))).Succeeded);
            }

            await Finish(broker, 12);
            Assert.True(MessageFilter.TryParseTags("even", out var even, out _));
            Assert.True(MessageFilter.TryParseSql("n BETWEEN 3 AND 8", out var middle, out _));

            Assert.Equal((long[])[0L, 2, 4, 6, 8, 10], await Again(broker, Request with { Filter = even }));
            Assert.Equal((long[])[3L, 4, 5, 6, 7, 8], await Again(broker, Request with { Filter = middle }));
            Assert.Equal((long[])[1L, 2, 4, 5, 7, 8, 10, 11], await Again(broker, Request with { Keys = ["k1", "k2"] }));
            Assert.Equal((long[])[4L, 10], await Again(broker, Request with { Keys = ["k1"], Filter = even }));
            Assert.Equal((long[])[3L, 7], await Again(broker, Request with { MessageIds = ["id-m7", "id-m3", "id-m99"] }));
            Assert.Equal((long[])[7L], await Again(broker, Request with { MessageIds = ["id-m7", "id-m3"], Keys = ["k1"] }));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_record_that_cannot_be_read_is_not_left_out_of_a_selection_by_keys(bool hasIndex)
    {
        var broker = new TestBroker(new BrokerOptions { AutoCreateTopics = true, KeyIndex = hasIndex });
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec { Name = "g" });
        var request = Request with { Keys = ["k"] };
        for (var i = 0; i < 3; i++)
        {
            var draft = TestBroker.Draft($"m{i}") with { Keys = ["k"] };
            var sent = await broker.Run(node => node.AppendAsync("t", [draft], CancellationToken.None));
            broker.Log.DamagedAt = i == 1 ? sent.Messages[0].Position : broker.Log.DamagedAt;
        }

        var damagedAt = broker.Log.DamagedAt;
        broker.Log.DamagedAt = null;
        await Finish(broker, 3);
        broker.Log.DamagedAt = damagedAt;

        var refused = await broker.Run(node => node.ReplayAsync(request, CancellationToken.None));
        broker.Log.DamagedAt = null;
        var mended = await Replay(broker, request);

        Assert.Equal(BrokerError.Unavailable, refused.Failure?.Error);
        Assert.Equal(3, refused.Queues.Sum(queue => queue.PutBackCount) + mended.Queues.Sum(queue => queue.PutBackCount));
    }

    [Fact]
    public async Task A_selection_goes_by_the_time_of_storing_in_every_queue()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 3);
        await broker.CreateGroup(new GroupSpec { Name = "g" });
        var sent = new List<AppendedMessage>();
        for (var i = 0; i < 30; i++)
        {
            sent.Add(await broker.Send("t", $"m{i}"));
            broker.Advance(TimeSpan.FromMilliseconds(100));
        }

        await Finish(broker, 30);

        var replay = await Replay(broker, Request with
        {
            FromMicroseconds = sent[10].StoreTimeMicroseconds,
            ToMicroseconds = sent[20].StoreTimeMicroseconds,
        });

        Assert.Equal(10, replay.Queues.Sum(queue => queue.PutBackCount));
        Assert.Equal(
            sent[10..20].Select(message => (message.QueueId, message.QueueOffset.Value)).Order(),
            (await broker.Receive("g", "t")).Select(message => (message.QueueId, message.QueueOffset.Value)).Order());
    }

    [Fact]
    public async Task A_limit_ends_the_replay_and_the_rest_stays_finished()
    {
        var broker = await WithMessages(10);
        await Finish(broker, 10);

        var replay = await Replay(broker, Request with { Limit = 4 });

        Assert.Equal(4, Assert.Single(replay.Queues).PutBackCount);
        Assert.Null(replay.Next);
        Assert.Equal([0L, 1, 2, 3], (await broker.Receive("g", "t")).Select(message => message.QueueOffset.Value));
    }

    [Fact]
    public async Task A_long_replay_goes_on_where_the_call_before_ended()
    {
        const int Count = 70_000;
        var broker = await WithMessages(0, queues: 2);
        foreach (var chunk in Enumerable.Range(0, Count).Chunk(1_000))
        {
            var outcome = await broker.Run(node => node.AppendAsync(
                "t", [.. chunk.Select(i => TestBroker.Draft($"m{i}"))], CancellationToken.None));
            Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        }

        Assert.Null((await broker.Run(node => node.SeekAsync(
            new SeekRequest { Group = "g", Topic = "t", Target = SeekTarget.Latest }, CancellationToken.None))).Failure);

        var first = await Replay(broker, Request);
        var second = await Replay(broker, Request with { ContinueAt = first.Next });

        Assert.NotNull(first.Next);
        Assert.Null(second.Next);
        Assert.Equal(Count, first.Queues.Concat(second.Queues).Sum(queue => queue.PutBackCount));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_replay_that_does_not_fit_is_refused_and_says_why()
    {
        var broker = await WithMessages(8, options: new BrokerOptions { AsideMax = 5 });
        await Finish(broker, 8);
        var hash = broker.StateHash;

        var refused = await broker.Run(node => node.ReplayAsync(Request, CancellationToken.None));

        Assert.Equal(BrokerError.InvalidArgument, refused.Failure?.Error);
        Assert.Contains("5 are allowed", refused.Failure?.Detail, StringComparison.Ordinal);
        Assert.Equal(hash, broker.StateHash);
        Assert.Equal(5, Assert.Single((await Replay(broker, Request with { Limit = 5 })).Queues).PutBackCount);
    }

    [Fact]
    public async Task In_an_ordered_group_replayed_messages_come_in_order_before_what_waits_and_after_what_is_in_hand()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", types: MessageTypeSet.Of(MessageType.Fifo));
        await broker.CreateGroup(new GroupSpec { Name = "g", Fifo = true });
        for (var i = 0; i < 6; i++)
        {
            await broker.Send("t", $"m{i}", group: "a");
        }

        await Finish(broker, 3);
        var inHand = Assert.Single(await broker.Receive("g", "t", batch: 1));
        Assert.Equal(3, inHand.QueueOffset.Value);

        Assert.Equal(2, Assert.Single((await Replay(broker, Request with { QueueId = 0, LastOffset = 1 })).Queues).PutBackCount);

        Assert.Empty(await broker.Receive("g", "t"));
        var poll = broker.Poll("g", "t", batch: 32);
        Assert.Null(await broker.Ack("g", "t", inHand));
        Assert.Equal([0L, 1, 4, 5], (await poll).Messages.Select(message => message.QueueOffset.Value));
    }

    [Fact]
    public async Task A_replayed_message_waits_for_the_back_off_of_nothing_but_its_message_group_s_lease()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", types: MessageTypeSet.Of(MessageType.Fifo));
        await broker.CreateGroup(new GroupSpec { Name = "g", Fifo = true });
        await broker.Send("t", "a0", group: "a");
        await broker.Send("t", "b0", group: "b");
        await broker.Send("t", "a1", group: "a");
        await Finish(broker, 2);
        Assert.Equal("a1", TestBroker.Text(Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5))));
        await Replay(broker, Request with { QueueId = 0, LastOffset = 1 });

        Assert.Equal("b0", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(["a0", "a1"], (await broker.Receive("g", "t")).Select(TestBroker.Text));
    }

    [Fact]
    public async Task What_retention_takes_waits_no_more_and_is_passed_over_by_the_next_replay()
    {
        var broker = new TestBroker();
        var topic = new TopicSpec { Name = "t", QueueCount = 1, RetentionTime = TimeSpan.FromMinutes(10) };
        Assert.Null(await broker.Run(node => node.CreateTopicAsync(topic, CancellationToken.None)));
        await broker.CreateGroup(new GroupSpec { Name = "g" });
        await broker.Send("t", "old0");
        await broker.Send("t", "old1");
        broker.Advance(TimeSpan.FromMinutes(5));
        await broker.Send("t", "young");
        await Finish(broker, 3);
        Assert.Equal(3, Assert.Single((await Replay(broker, Request)).Queues).PutBackCount);

        broker.Advance(TimeSpan.FromMinutes(6));

        Assert.Equal(["young"], (await broker.Receive("g", "t")).Select(TestBroker.Text));
        Assert.Equal(new QueueReplay(0, PutBackCount: 0, SkippedCount: 1), Assert.Single((await Replay(broker, Request)).Queues));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_seek_takes_a_replay_back()
    {
        var broker = await WithMessages(6);
        await Finish(broker, 6);
        await Replay(broker, Request);

        Assert.Null((await broker.Run(node => node.SeekAsync(
            new SeekRequest { Group = "g", Topic = "t", Target = SeekTarget.Latest }, CancellationToken.None))).Failure);

        Assert.Empty(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task A_replay_survives_restart_and_is_the_same_on_every_node()
    {
        var broker = await WithMessages(40, queues: 4);
        await Finish(broker, 30);
        await Replay(broker, Request with { Limit = 11 });
        await broker.Receive("g", "t", batch: 5);
        await Replay(broker, Request);

        var hash = broker.StateHash;
        Assert.Equal(hash, broker.ReplayedStateHash());
        broker.Restart();
        Assert.Equal(hash, broker.StateHash);
    }

    [Fact]
    public async Task A_replayed_message_that_fails_too_often_becomes_a_dead_letter_as_any_other()
    {
        var broker = await WithMessages(1, maxAttempts: 1);
        await Finish(broker, 1);
        await Replay(broker, Request);
        Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 2));

        broker.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal("m0", TestBroker.Text(Assert.Single(await broker.Receive("dead", "%DLQ%g"))));
    }

    public static TheoryData<string, string> Refusals => new()
    {
        { "no group", "'x'" },
        { "no topic", "'x'" },
        { "never read", "never read" },
        { "queue", "no queue 7" },
        { "offsets without queue", "name the queue" },
        { "offsets and times", "one of them" },
        { "offsets backwards", "no range" },
        { "times backwards", "nothing lies in it" },
        { "keys", "the limit is 100" },
        { "empty key", "empty or longer" },
        { "limit", "0 for none" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_selection_that_makes_no_sense_is_refused_with_what_is_wrong(string which, string detail)
    {
        var broker = await WithMessages(2);
        await broker.CreateGroup(new GroupSpec { Name = "idle" });
        await Finish(broker, 1);
        var hash = broker.StateHash;
        var request = which switch
        {
            "no group" => Request with { Group = "x" },
            "no topic" => Request with { Topic = "x" },
            "never read" => Request with { Group = "idle" },
            "queue" => Request with { QueueId = 7 },
            "offsets without queue" => Request with { FirstOffset = 1 },
            "offsets and times" => Request with { QueueId = 0, FirstOffset = 1, FromMicroseconds = 1 },
            "offsets backwards" => Request with { QueueId = 0, FirstOffset = 3, LastOffset = 2 },
            "times backwards" => Request with { FromMicroseconds = 5, ToMicroseconds = 5 },
            "keys" => Request with { Keys = [.. Enumerable.Range(0, Limits.ReplayKeyCountMax + 1).Select(i => $"k{i}")] },
            "empty key" => Request with { MessageIds = [""] },
            _ => Request with { Limit = -1 },
        };

        var refused = await broker.Run(node => node.ReplayAsync(request, CancellationToken.None));

        Assert.Contains(detail, refused.Failure?.Detail, StringComparison.Ordinal);
        Assert.Empty(refused.Queues);
        Assert.Equal(hash, broker.StateHash);
    }

    private static ReplayRequest Request { get; } = new() { Group = "g", Topic = "t" };

    private static async Task<TestBroker> WithMessages(
        int count, int queues = 1, int maxAttempts = 17, BrokerOptions? options = null)
    {
        var broker = new TestBroker(options);
        await broker.CreateTopic("t", queues);
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { MaxAttempts = maxAttempts } });
        for (var i = 0; i < count; i++)
        {
            await broker.Send("t", $"m{i}");
        }

        return broker;
    }

    private static async Task Finish(TestBroker broker, int count)
    {
        while (count > 0)
        {
            var messages = await broker.Receive("g", "t", batch: Math.Min(count, 32));
            Assert.NotEmpty(messages);
            foreach (var message in messages)
            {
                Assert.Null(await broker.Ack("g", "t", message));
            }

            count -= messages.Count;
        }
    }

    private static async Task<long[]> Again(TestBroker broker, ReplayRequest request)
    {
        await Replay(broker, request);
        var again = await broker.Receive("g", "t");
        foreach (var message in again)
        {
            Assert.Null(await broker.Ack("g", "t", message));
        }

        return [.. again.Select(message => message.QueueOffset.Value)];
    }

    private static async Task<ReplayOutcome> Replay(TestBroker broker, ReplayRequest request)
    {
        var outcome = await broker.Run(node => node.ReplayAsync(request, CancellationToken.None));
        Assert.Null(outcome.Failure);
        return outcome;
    }

    private static async Task<long> CommitOf(TestBroker broker)
    {
        var answer = await broker.Run(node => node.GetOffsetAsync("g", "t", 0, CancellationToken.None));
        Assert.Null(answer.Failure);
        return answer.Offset;
    }
}
