using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Lookups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;
using Dledger.Broker.Routes;
using Dledger.Broker.Streaming;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;
using Dledger.Broker.Traces;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Tests.Streaming;

/// <summary>Batches that stay as their producer compressed them: nobody who reads single messages notices.</summary>
public sealed class CompressedBatchTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Theory]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zlib)]
    public async Task A_batch_is_one_record_with_the_bytes_of_its_producer_and_its_messages_are_received_as_they_were(
        Compression compression)
    {
        var broker = await Broker();
        var packed = PackedBatches.Pack(PackedBatches.Encode(broker, "t", null, [.. PackedBatches.Drafts(5)]), compression);

        var outcome = await broker.Run(node => node.AppendAsync("t", packed, 5, "", None));
        var kinds = PackedBatches.LastKinds(broker);
        var frame = broker.Log.Frames[^1].AsSpan().ToArray();
        var messages = await broker.Receive("g", "t");

        Assert.Equal((null, 0, new QueueOffset(0)), (outcome.Failure, outcome.QueueId, outcome.FirstOffset));
        Assert.Null(outcome.Entries);
        Assert.Equal([RecordKind.MessageBatch], kinds);
        Assert.True(frame.AsSpan().IndexOf(packed.Block.Span) > 0, "the block is in the log as it came");
        Assert.Equal(["m0", "m1", "m2", "m3", "m4"], messages.Select(PackedBatches.Name));
        Assert.Equal(["id-m0", "id-m1", "id-m2", "id-m3", "id-m4"], messages.Select(message => message.MessageId));
        Assert.Equal(Enumerable.Range(0, 5).Select(index => outcome.FirstPosition + (24 * index)), messages.Select(message => message.Position));
        Assert.All(messages, message => Assert.Equal(outcome.StoreTimeMicroseconds, message.StoreTimeMicroseconds));
        Assert.Equal(("odd", "1"), (messages[1].Tag, messages[1].UserProperties[0].Value));
        Assert.All(messages, message => Assert.True(
            RecordView.TryParseSealed(message.Record.Span, message.Position, out _, out var fault), fault));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task Filters_look_into_a_batch()
    {
        var broker = await Broker();
        await broker.SendPacked("t", PackedBatches.Drafts(6));

        Assert.Equal(["m1", "m3", "m5"], (await broker.Receive("tags", "t", filter: "odd")).Select(PackedBatches.Name));
        Assert.Equal(["m4", "m5"], (await broker.Receive("sql", "t", filter: "SQL n >= 4")).Select(PackedBatches.Name));
    }

    [Fact]
    public async Task A_message_of_a_batch_is_found_by_its_id_and_its_key_and_by_a_time()
    {
        var broker = await Broker();
        await broker.SendPacked("t", PackedBatches.Drafts(4));
        broker.Advance(TimeSpan.FromSeconds(5));
        var later = await broker.SendPacked("t", PackedBatches.Drafts(4, first: 4));

        var byId = await broker.Run(node => node.FindMessagesAsync(new KeyQuery("t", "id-m6", IsMessageId: true), None));
        var byKey = await broker.Run(node => node.FindMessagesAsync(new KeyQuery("t", "key-2", IsMessageId: false), None));
        var all = await broker.Run(node => node.FindMessagesAsync(new KeyQuery("t", "all", IsMessageId: false), None));
        var (offset, _) = await broker.Run(node => node.FindOffsetAsync("t", 0, later.StoreTimeMicroseconds, None));

        Assert.Equal(("m6", new QueueOffset(6)), (PackedBatches.Name(Assert.Single(byId.Messages)), byId.Messages[0].QueueOffset));
        Assert.Equal(("m2", new QueueOffset(2)), (PackedBatches.Name(Assert.Single(byKey.Messages)), byKey.Messages[0].QueueOffset));
        Assert.Equal(["m7", "m6", "m5", "m4", "m3", "m2", "m1", "m0"], all.Messages.Select(PackedBatches.Name));
        Assert.Equal(new QueueOffset(4), offset);
    }

    [Fact]
    public async Task What_became_of_a_message_of_a_batch_is_explained()
    {
        var broker = await Broker();
        await broker.SendPacked("t", PackedBatches.Drafts(3));
        var messages = await broker.Receive("g", "t");
        await broker.Ack("g", "t", messages[1]);

        var trace = await broker.Run(node => node.ExplainMessageAsync(new TraceQuery("t", "id-m1", 0, default), None));

        Assert.Null(trace.Failure);
        Assert.Equal(TraceState.Acknowledged, Assert.Single(trace.Groups).State);
        Assert.Equal(
            [TraceEventKind.Stored, TraceEventKind.Delivered, TraceEventKind.Acknowledged],
            trace.History.Select(happened => happened.Kind));
        Assert.True(trace.IsHistoryComplete);
    }

    [Fact]
    public async Task A_batch_that_repeats_numbers_in_part_stores_what_is_new_and_tells_which_is_which()
    {
        var broker = await Broker();
        var producer = await broker.Run(node => node.InitProducerAsync("", None));
        ProducerSequence From(int first) => new(producer.ProducerId, producer.Epoch, first);
        var first = await broker.SendPacked("t", PackedBatches.Drafts(3), From(1));

        var whole = await broker.SendPacked("t", PackedBatches.Drafts(3), From(1));
        var part = await broker.SendPacked("t", PackedBatches.Drafts(4, first: 1), From(2));
        var gap = await broker.SendPacked("t", PackedBatches.Drafts(2, first: 9), From(9));

        Assert.Equal([0L, 1, 2], whole.Entries!.Select(entry => entry.Message.QueueOffset.Value));
        Assert.All(whole.Entries!, entry => Assert.True(entry.Message.IsDuplicate));
        Assert.Equal(first.FirstPosition + 48, whole.Entries![2].Message.Position);
        Assert.Equal(
            [(1L, true), (2, true), (3, false), (4, false)],
            part.Entries!.Select(entry => (entry.Message.QueueOffset.Value, entry.Message.IsDuplicate)));
        Assert.Equal(BrokerError.SequenceOutOfOrder, gap.Failure!.Value.Error);
        Assert.Equal(["m0", "m1", "m2", "m3", "m4"], (await broker.Receive("g", "t")).Select(PackedBatches.Name));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task After_a_restart_what_was_not_acknowledged_comes_again_out_of_its_batch()
    {
        var broker = await Broker();
        await broker.SendPacked("t", PackedBatches.Drafts(4));
        var messages = await broker.Receive("g", "t", invisibleSeconds: 10);
        await broker.Ack("g", "t", messages[0]);
        await broker.Ack("g", "t", messages[2]);

        broker.Restart();
        broker.Advance(TimeSpan.FromSeconds(11));
        var again = await broker.Receive("g", "t");

        Assert.Equal([("m1", 2), ("m3", 2)], again.Select(message => (PackedBatches.Name(message), message.Attempt)));
    }

    [Fact]
    public async Task One_message_of_a_batch_becomes_a_dead_letter_and_the_others_stay()
    {
        var broker = await Broker();
        await broker.CreateGroup(new GroupSpec { Name = "poor", Settings = new GroupSettings { MaxAttempts = 1 } });
        await broker.SendPacked("t", PackedBatches.Drafts(3));
        var messages = await broker.Receive("poor", "t", invisibleSeconds: 10);
        await broker.Ack("poor", "t", messages[0]);
        await broker.Ack("poor", "t", messages[2]);

        broker.Advance(TimeSpan.FromSeconds(11));
        var letters = await broker.Receive("reader", "%DLQ%poor");

        Assert.Equal(("m1", "id-m1", "odd"), (PackedBatches.Name(Assert.Single(letters)), letters[0].MessageId, letters[0].Tag));
        Assert.Equal(("t", "id-m1"), (letters[0].DeadLetterOrigin!.Value.Topic, letters[0].DeadLetterOrigin!.Value.MessageId));
    }

    [Fact]
    public async Task A_topic_gives_up_the_beginning_of_a_batch_and_keeps_the_rest()
    {
        var broker = new TestBroker();
        var bytes = PackedBatches.Drafts(1)[0].Body.Length + 300L;
        Assert.Null(await broker.Run(node => node.CreateTopicAsync(
            new TopicSpec { Name = "t", QueueCount = 1, RetentionBytes = 3 * bytes }, None)));
        await broker.SendPacked("t", PackedBatches.Drafts(8));
        await broker.SendPacked("t", PackedBatches.Drafts(1, first: 8));

        broker.Advance(TimeSpan.FromMinutes(2));
        var (topic, _) = await broker.Run(node => node.DescribeTopicAsync("t", None));
        var kept = (await broker.Receive("g", "t")).Select(PackedBatches.Name).ToList();

        var min = (int)topic!.Queues[0].Min.Value;

        Assert.InRange(min, 1, 7);
        Assert.Equal(Enumerable.Range(min, 9 - min).Select(number => $"m{number}"), kept);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task Messages_of_a_batch_go_once_they_have_the_age_of_their_topic()
    {
        var broker = new TestBroker();
        Assert.Null(await broker.Run(node => node.CreateTopicAsync(
            new TopicSpec { Name = "t", QueueCount = 1, RetentionTime = TimeSpan.FromMinutes(10) }, None)));
        await broker.SendPacked("t", PackedBatches.Drafts(3));
        broker.Advance(TimeSpan.FromMinutes(6));
        await broker.SendPacked("t", PackedBatches.Drafts(3, first: 3));

        broker.Advance(TimeSpan.FromMinutes(6));

        Assert.Equal(["m3", "m4", "m5"], (await broker.Receive("g", "t")).Select(PackedBatches.Name));
    }

    [Theory]
    [InlineData("does not shrink")]
    [InlineData("ids are remembered")]
    [InlineData("another type")]
    [InlineData("a route")]
    public async Task A_batch_of_which_the_broker_has_to_know_more_is_unpacked_on_its_way_in(string why)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("other");
        Assert.Null(await broker.Run(node => node.CreateTopicAsync(
            new TopicSpec
            {
                Name = "t",
                QueueCount = 1,
                AcceptedTypes = why == "another type" ? MessageTypeSet.Of(MessageType.Delay) : MessageTypeSet.Normal,
                IdWindowTime = why == "ids are remembered" ? TimeSpan.FromMinutes(1) : TimeSpan.Zero,
            },
            None)));
        var drafts = why == "does not shrink"
            ? [TestBroker.Draft("m0"), TestBroker.Draft("m1")]
            : PackedBatches.Drafts(2);
        if (why == "another type")
        {
            drafts = drafts.ConvertAll(draft => draft with
            {
                Type = MessageType.Delay,
                DeliverAtMicroseconds = broker.Time.NowMicroseconds + 5_000_000,
            });
        }

        var batch = PackedBatches.Pack(PackedBatches.Encode(broker, "t", null, [.. drafts]));
        if (why == "a route")
        {
            Assert.Null((await broker.Run(node => node.AddRouteAsync(
                new RouteSpec("t", "copy", "other", MessageFilter.All), false, None))).Failure);
        }

        var outcome = await broker.Run(node => node.AppendAsync("t", batch, 2, "", None));
        var kinds = PackedBatches.LastKinds(broker);
        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Null(outcome.Failure);
        Assert.Equal([RecordKind.Message, RecordKind.Message], kinds);
        Assert.Equal(["m0", "m1"], (await broker.Receive("g", "t")).Select(PackedBatches.Name).Order());
        Assert.Equal(why == "a route" ? 2 : 0, (await broker.Receive("g", "other")).Count);
    }

    /// <summary>What is wrong with a batch, the rule, and a word of the reason.</summary>
    public static TheoryData<string, BrokenRule, string> Faults => new()
    {
        { "unknown compression", BrokenRule.Batch, "compression 9 is unknown" },
        { "no size", BrokenRule.Batch, "size of the batch is 0" },
        { "negative size", BrokenRule.Batch, "size of the batch is -5" },
        { "huge size", BrokenRule.BodyTooLarge, "2147483647" },
        { "size too small", BrokenRule.Batch, "is not" },
        { "size too large", BrokenRule.Batch, "is not" },
        { "other compression", BrokenRule.Batch, "compressed with Zlib" },
        { "empty", BrokenRule.Batch, "is not" },
        { "cut", BrokenRule.Batch, "is not" },
        { "bytes behind", BrokenRule.Batch, "is not" },
        { "bomb", BrokenRule.Batch, "is not" },
        { "count", BrokenRule.Batch, "is no record" },
        { "no records", BrokenRule.Batch, "is no record" },
        { "damaged record", BrokenRule.Batch, "checksum" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_batch_that_is_not_what_it_says_is_refused_and_nothing_is_stored(string fault, BrokenRule rule, string word)
    {
        var broker = await Broker();
        var records = PackedBatches.Encode(broker, "t", null, [.. PackedBatches.Drafts(3)]);
        if (fault == "damaged record")
        {
            records[100] ^= 1;
        }

        var packed = fault switch
        {
            "no records" => PackedBatches.Pack(new byte[5_000]),
            "bomb" => PackedBatches.Pack(new byte[64 << 20], Compression.Zlib) with { UncompressedSize = Limits.BatchRecordBytesMax },
            _ => PackedBatches.Pack(records),
        };
        packed = fault switch
        {
            "unknown compression" => packed with { Compression = (Compression)9 },
            "no size" => packed with { UncompressedSize = 0 },
            "negative size" => packed with { UncompressedSize = -5 },
            "huge size" => packed with { UncompressedSize = int.MaxValue },
            "size too small" => packed with { UncompressedSize = records.Length - 8 },
            "size too large" => packed with { UncompressedSize = records.Length + 8 },
            "other compression" => packed with { Compression = Compression.Zlib },
            "empty" => packed with { Block = default },
            "cut" => packed with { Block = packed.Block[..^3] },
            "bytes behind" => packed with { Block = packed.Block.ToArray().Append((byte)1).ToArray() },
            _ => packed,
        };
        var hash = broker.StateHash;

        var outcome = await broker.Run(node => node.AppendAsync("t", packed, fault == "count" ? 4 : 3, "", None));

        Assert.Equal(rule, outcome.Failure!.Value.Rule);
        Assert.Contains(word, outcome.Failure.Value.Detail, StringComparison.Ordinal);
        Assert.Equal(hash, broker.StateHash);
    }

    [Fact]
    public async Task A_whole_batch_is_read_as_it_is_and_a_part_of_one_unpacked()
    {
        var broker = await Broker();
        await broker.Send("t", "before");
        var packed = PackedBatches.Pack(PackedBatches.Encode(broker, "t", null, [.. PackedBatches.Drafts(4)]));
        await broker.Run(node => node.AppendAsync("t", packed, 4, "", None));
        await broker.Send("t", "behind");
        var slice = new RecordSlice { Unpacks = [Compression.Lz4] };

        var outcome = await Read(broker, slice, 0);
        var kinds = slice.Parts.Select(part => (part.PlaceCount, part.Compression)).ToList();
        var block = slice.Bytes.Slice(slice.Parts[1].Start, slice.Parts[1].Length).ToArray();
        await Read(broker, slice, 2);
        var rest = slice.Parts.Select(part => (part.PlaceCount, part.Compression)).ToList();
        var other = new RecordSlice { Unpacks = [Compression.Zlib] };
        await Read(broker, other, 0);

        Assert.Equal([(1, Compression.None), (4, Compression.Lz4), (1, Compression.None)], kinds);
        Assert.Equal((null, 6L), (outcome.Failure, outcome.NextOffset));
        Assert.Equal(packed.Block.ToArray(), block);
        Assert.Equal([(4, Compression.None)], rest);
        Assert.Equal([(6, Compression.None)], other.Parts.Select(part => (part.PlaceCount, part.Compression)));
    }

    [Theory]
    [InlineData(false, Compression.Lz4)]
    [InlineData(true, Compression.None)]
    public async Task A_lease_brings_a_whole_batch_as_it_is_unless_a_message_lives_for_a_time(bool lives, Compression expected)
    {
        var broker = await Broker();
        var drafts = PackedBatches.Drafts(3);
        if (lives)
        {
            drafts[1] = drafts[1] with { UserProperties = [new(TimeToLive.Property, "60000")] };
        }

        await broker.SendPacked("t", drafts);
        var request = TestBroker.Request("g", "t", 32, 30, "*", null) with { ReturnsRecords = true, Unpacks = [Compression.Lz4] };
        var outcome = await broker.Run(node => node.ReceiveAsync(request, None));
        var slice = new RecordSlice();
        outcome.CopyTo(slice);
        outcome.Return();

        Assert.Equal((3, expected), (Assert.Single(slice.Parts).PlaceCount, slice.Parts[0].Compression));
        Assert.Equal([0L, 1, 2], slice.Places.Select(place => place.Offset.Value));
    }

    [Fact]
    public async Task A_batch_that_rotted_is_reported_and_read_again_when_it_is_mended()
    {
        var broker = await Broker();
        var outcome = await broker.SendPacked("t", PackedBatches.Drafts(3));
        broker.Log.DamagedAt = outcome.FirstPosition + -80;

        var failed = await broker.Run(node => node.ReadMessagesAsync(new MessagePlace("t", 0, new QueueOffset(1)), 1, None));
        var reported = broker.Log.Unreadable.ToList();
        broker.Log.DamagedAt = null;
        var mended = await broker.Run(node => node.ReadMessagesAsync(new MessagePlace("t", 0, new QueueOffset(1)), 1, None));

        Assert.Equal(BrokerError.Unavailable, failed.Failure!.Value.Error);
        Assert.Contains(outcome.FirstPosition + 24, reported);
        Assert.Equal("m1", PackedBatches.Name(Assert.Single(mended.Messages)));
    }

    private static async Task<TestBroker> Broker()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        return broker;
    }

    private static Task<SliceOutcome> Read(TestBroker broker, RecordSlice slice, long offset) => broker.Run(node => node.ReadAsync(
        new PullRequest { Group = "", Topic = "t", QueueId = 0, Offset = offset, BatchSize = 100 }, slice, None));
}
