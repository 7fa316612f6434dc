using Dledger.Broker.Groups;
using Dledger.Broker.Lookups;
using Dledger.Broker.Messages;
using Dledger.Broker.Tests.Simulation;
using Dledger.Primitives;

namespace Dledger.Broker.Tests.Lookups;

public sealed class LookupTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_message_is_found_by_its_id_where_it_was_acknowledged()
    {
        var broker = new TestBroker();
        await broker.Send("t", "a");
        var sent = await broker.Send("t", "b", tag: "red");
        await broker.Send("u", "b");

        var found = Assert.Single((await ById(broker, "t", "id-b")).Messages);

        Assert.Equal((sent.QueueId, sent.QueueOffset, sent.Position), (found.QueueId, found.QueueOffset, found.Position));
        Assert.Equal((sent.StoreTimeMicroseconds, "t", "red"), (found.StoreTimeMicroseconds, found.Topic, found.Tag));
        Assert.Equal("b", TestBroker.Text(found));
    }

    [Fact]
    public async Task Messages_of_one_business_key_come_newest_first_within_time_and_number()
    {
        var broker = new TestBroker();
        var times = new List<long>();
        for (var n = 0; n < 10; n++)
        {
            times.Add((await Send(broker, $"m{n}", "order-7", $"other-{n}")).StoreTimeMicroseconds);
            broker.Advance(TimeSpan.FromSeconds(1));
        }

        var all = await Find(broker, new KeyQuery("t", "order-7", IsMessageId: false));
        var some = await Find(broker, new KeyQuery("t", "order-7", false)
        {
            FromMicroseconds = times[2],
            ToMicroseconds = times[6],
            CountMax = 3,
        });

        Assert.Equal(Enumerable.Range(0, 10).Reverse().Select(n => $"id-m{n}"), Ids(all));
        Assert.Equal(["id-m5", "id-m4", "id-m3"], Ids(some));
        Assert.True(some.HasMore);
        Assert.False(all.HasMore);
        Assert.Equal(["id-m4"], Ids(await Find(broker, new KeyQuery("t", "other-4", false))));
        Assert.Empty((await Find(broker, new KeyQuery("t", "order-7", IsMessageId: true))).Messages);
    }

    [Fact]
    public async Task A_dead_letter_is_found_in_both_of_its_topics()
    {
        var broker = await WithDeadLetter();

        var origin = Assert.Single((await ById(broker, "t", "id-m")).Messages);
        var letter = Assert.Single((await ById(broker, "%DLQ%g", "id-m")).Messages);

        Assert.Equal("t", letter.DeadLetterOrigin?.Topic);
        Assert.True(letter.Position > origin.Position);
    }

    [Fact]
    public async Task A_second_copy_that_took_no_effect_is_not_found()
    {
        var broker = await WithDeadLetter();
        var message = await broker.Send("t", "n");
        var first = Assert.Single(await broker.Receive("g", "t"));
        broker.Log.IsHeld = true;
        var one = broker.Start(node => node.ForwardToDeadLetterAsync("g", "t", first.ReceiptHandle, None));
        var two = broker.Start(node => node.ForwardToDeadLetterAsync("g", "t", first.ReceiptHandle, None));
        broker.Log.IsHeld = false;
        broker.Settle();

        Assert.Null(await one);
        Assert.Null(await two);
        Assert.Single((await ById(broker, "%DLQ%g", "id-n")).Messages);
        Assert.Equal(message.Position, Assert.Single((await ById(broker, "t", "id-n")).Messages).Position);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_restarted_broker_finds_what_it_found(bool graceful)
    {
        var broker = new TestBroker(Options());
        for (var n = 0; n < 100; n++)
        {
            await Send(broker, $"m{n}", "k");
            if (n % 30 == 20)
            {
                broker.Advance(TimeSpan.FromSeconds(2));
                broker.Log.Maintain();
            }
        }

        broker.Restart(graceful);
        broker.Log.Maintain();

        var found = await Find(broker, new KeyQuery("t", "k", false) { CountMax = 1000 });
        Assert.Equal(100, found.Messages.Count);
        Assert.Empty(found.Gaps);
    }

    [Fact]
    public async Task A_lost_index_is_made_again_from_the_log_and_says_so_until_then()
    {
        var broker = new TestBroker(Options());
        for (var n = 0; n < 100; n++)
        {
            await Send(broker, $"m{n}", "k");
        }

        broker.Advance(TimeSpan.FromSeconds(2));
        broker.Log.Maintain();
        foreach (var name in broker.Disk.List("keys"))
        {
            broker.Disk.Delete($"keys/{name}");
        }

        broker.Restart(graceful: false);
        var before = await Find(broker, new KeyQuery("t", "k", false) { CountMax = 1000 });
        broker.Log.Maintain();
        var after = await Find(broker, new KeyQuery("t", "k", false) { CountMax = 1000 });

        Assert.True(before.Messages.Count < 100);
        Assert.NotEmpty(before.Gaps);
        Assert.Equal(100, after.Messages.Count);
        Assert.Empty(after.Gaps);
    }

    [Fact]
    public async Task A_time_leads_to_the_first_offset_that_was_stored_then()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        var sent = new List<AppendedMessage>();
        for (var n = 0; n < 20; n++)
        {
            sent.Add(await broker.Send("t", $"m{n}"));
            broker.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(0, await OffsetAt(broker, 0));
        Assert.Equal(7, await OffsetAt(broker, sent[7].StoreTimeMicroseconds));
        Assert.Equal(8, await OffsetAt(broker, sent[7].StoreTimeMicroseconds + 1));
        Assert.Equal(20, await OffsetAt(broker, sent[19].StoreTimeMicroseconds + 1));
    }

    [Fact]
    public async Task A_queue_is_read_without_a_group()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        for (var n = 0; n < 5; n++)
        {
            await broker.Send("t", $"m{n}");
        }

        var read = await broker.Run(node => node.ReadMessagesAsync(new MessagePlace("t", 0, new QueueOffset(2)), 2, None));
        var end = await broker.Run(node => node.ReadMessagesAsync(new MessagePlace("t", 0, new QueueOffset(5)), 2, None));

        Assert.Equal(["id-m2", "id-m3"], Ids(read));
        Assert.Equal(["2", "3"], read.Messages.Select(message => message.QueueOffset.ToString()));
        Assert.Null(end.Failure);
        Assert.Empty(end.Messages);
    }

    [Fact]
    public async Task A_damaged_record_is_never_skipped_in_silence()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        await broker.Send("t", "a");
        broker.Log.DamagedAt = (await broker.Send("t", "b")).Position;

        var first = await broker.Run(node => node.ReadMessagesAsync(new MessagePlace("t", 0, default), 10, None));
        var second = await broker.Run(node => node.ReadMessagesAsync(new MessagePlace("t", 0, new QueueOffset(1)), 10, None));

        Assert.Equal(["id-a"], Ids(first));
        Assert.Equal(BrokerError.Unavailable, second.Failure?.Error);
        Assert.Equal([broker.Log.DamagedAt.Value], broker.Log.Unreadable.Distinct());
    }

    [Fact]
    public async Task A_record_that_may_have_the_key_and_cannot_be_read_counts_as_not_searched()
    {
        var broker = new TestBroker(Options());
        await broker.Send("t", "a");
        var place = (await broker.Send("t", "b")).Position;
        broker.Log.DamagedAt = place;

        var damaged = await ById(broker, "t", "id-b");
        var other = await ById(broker, "t", "id-a");
        broker.Log.DamagedAt = null;
        var mended = await ById(broker, "t", "id-b");

        Assert.Empty(damaged.Messages);
        Assert.Equal(place, Assert.Single(damaged.Gaps).Start);
        Assert.Equal(["id-a"], Ids(other));
        Assert.Empty(other.Gaps);
        Assert.Equal(["id-b"], Ids(mended));
        Assert.Empty(mended.Gaps);
    }

    [Fact]
    public async Task What_cannot_be_looked_up_is_refused_with_the_bound()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");

        Assert.Equal(BrokerError.TopicNotFound, (await ById(broker, "none", "x")).Failure?.Error);
        Assert.Contains("1 to 16384", (await ById(broker, "t", "")).Failure?.Detail, StringComparison.Ordinal);
        Assert.Contains(
            "1 to 1000",
            (await Find(broker, new KeyQuery("t", "k", false) { CountMax = 1001 })).Failure?.Detail,
            StringComparison.Ordinal);
        var queue = await broker.Run(node => node.ReadMessagesAsync(new MessagePlace("t", 1, default), 1, None));
        Assert.Equal(BrokerError.InvalidArgument, queue.Failure?.Error);
        broker.Log.LoseLeadership();
        Assert.Equal(BrokerError.NotLeader, (await ById(broker, "t", "x")).Failure?.Error);
    }

    private static BrokerOptions Options() => new()
    {
        AutoCreateTopics = true,
        CheckpointInterval = TimeSpan.FromSeconds(1),
        KeyIndexSizes = new() { EntriesPerFile = 64 },
    };

    private static async Task<TestBroker> WithDeadLetter()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { MaxAttempts = 1 } });
        await broker.Send("t", "m");
        await broker.Receive("g", "t", invisibleSeconds: 5);
        broker.Advance(TimeSpan.FromSeconds(6));
        return broker;
    }

    private static async Task<AppendedMessage> Send(TestBroker broker, string body, params string[] keys)
    {
        var draft = TestBroker.Draft(body) with { Keys = keys };
        return Assert.Single((await broker.Run(node => node.AppendAsync("t", [draft], None))).Messages);
    }

    private static Task<LookupOutcome> ById(TestBroker broker, string topic, string id) =>
        Find(broker, new KeyQuery(topic, id, IsMessageId: true));

    private static Task<LookupOutcome> Find(TestBroker broker, KeyQuery query) =>
        broker.Run(node => node.FindMessagesAsync(query, None));

    private static async Task<long> OffsetAt(TestBroker broker, long microseconds)
    {
        var (offset, failure) = await broker.Run(node => node.FindOffsetAsync("t", 0, microseconds, None));
        Assert.Null(failure);
        return offset.Value;
    }

    private static IEnumerable<string> Ids(LookupOutcome outcome)
    {
        Assert.Null(outcome.Failure);
        return outcome.Messages.Select(message => message.MessageId);
    }
}
