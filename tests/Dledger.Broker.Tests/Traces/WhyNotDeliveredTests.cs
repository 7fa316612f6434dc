using Dledger.Broker.Deduplication;
using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Lites;
using Dledger.Broker.Messages;
using Dledger.Broker.Offsets;
using Dledger.Broker.Parking;
using Dledger.Broker.Quotas;
using Dledger.Broker.Routes;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Timers;
using Dledger.Broker.Topics;
using Dledger.Broker.Traces;
using Dledger.Broker.Transactions;
using Dledger.Primitives;

namespace Dledger.Broker.Tests.Traces;

/// <summary>Every reason for which a group is not given a message: the one call tells each of them, in one sentence.</summary>
public sealed class WhyNotDeliveredTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    /// <summary>Name of the case, what the group's answer is, and parts of its sentence.</summary>
    public static TheoryData<string, TraceState, string[]> OfGroups => new()
    {
        { "never read", TraceState.NeverRead, ["has never read this topic"] },
        { "in flight", TraceState.InFlight, ["in flight with client 'client' in attempt 1 of 17, until "] },
        { "nobody asks", TraceState.Available, ["no consumer of the group has asked this leader", "start one"] },
        { "not reached", TraceState.NotReached, ["not reached yet: 1 message of its queue", "1 message of the queue are in flight"] },
        { "asked for later", TraceState.WaitsForRetry, ["waits for its next delivery at", "as client 'client' asked"] },
        { "back-off", TraceState.WaitsForRetry, ["waits for its next delivery at", "as the back-off of the group says"] },
        { "parked", TraceState.Parked, ["out of attempts (1) and set aside since", "'dledger parked list'"] },
        {
            "behind a parked one", TraceState.HeldBack,
            ["an earlier message of its message group 'a' has to be over first: the one at offset 0, out of attempts (1) and set aside"]
        },
        {
            "behind one in flight", TraceState.HeldBack,
            ["an earlier message of its message group 'a'", "the one at offset 0, in flight with client 'client'"]
        },
        { "paused", TraceState.Paused, ["the group is paused since", "until an operator resumes it, because of \"ledger closed\""] },
        { "paused for a while", TraceState.Paused, ["the group is paused since", "until 20"] },
        { "in flight limit", TraceState.InFlightLimit, ["the group has 1 message in flight, and may have 1"] },
        { "in flight limit of clients", TraceState.InFlightLimit, ["each client of the group that asks (1)", "as it may, 1"] },
        { "quota", TraceState.OverQuota, ["the consumer group 'g' is given at most 1 messages per second, which are used up"] },
        { "exclusive", TraceState.Exclusive, ["the group is exclusive and client 'client' holds it", "with 1 message in flight"] },
        { "filter said no", TraceState.FilteredOut, ["never delivered: the filter of the group left it out"] },
        { "filter said no by text", TraceState.FilteredOut, ["never delivered: the filter of the group left it out"] },
        { "filter will say no", TraceState.Unwanted, ["the filter is 'blue', its tag is 'red'", "finished without delivery"] },
        { "lived too long", TraceState.LivedTooLong, ["never delivered: at", "DLEDGER_TTL_MS", "was over"] },
        { "lives too long", TraceState.LivedTooLong, ["its time to live (DLEDGER_TTL_MS) is over", "becomes a dead letter"] },
        { "dead by age", TraceState.DeadLettered, ["its time to live was over: moved to the dead letters without delivery"] },
        { "dead by attempts", TraceState.DeadLettered, ["out of attempts: moved to the dead letters", "after 1 delivery"] },
        { "dead by its consumer", TraceState.DeadLettered, ["its consumer moved it to the dead letters"] },
        { "dead by an operator", TraceState.DeadLettered, ["parked, and moved to the dead letters by an operator"] },
        { "key processed", TraceState.Deduplicated, ["the group had processed another message with its first business key 'k'"] },
        { "key in flight", TraceState.KeyInFlight, ["another message with its first business key 'k' is in flight", "at offset 0 of queue 0"] },
        { "began behind it", TraceState.PassedBy, ["never delivered: the group began behind it"] },
        { "set behind it", TraceState.PassedBy, ["never delivered: the group was set behind it by an operator at"] },
        { "moved behind it", TraceState.PassedBy, ["the offset of the group was moved behind it"] },
        { "lite topic", TraceState.NotAskedFor, ["no living client of the group has the lite topic 'one' in its set"] },
        { "less urgent", TraceState.Available, ["after 1 more urgent message"] },
        { "once only", TraceState.DeliveredOnce, ["handed to client 'client' and finished with that"] },
    };

    /// <summary>Name of the case, where the message is, and parts of the sentence.</summary>
    public static TheoryData<string, MessageState, string[]> OfMessages => new()
    {
        { "delayed", MessageState.Delayed, ["not delivered yet: it waits for its delivery time, 20"] },
        { "moved", MessageState.Delayed, ["it waits for its delivery time, 20", "which an operator set"] },
        { "recalled", MessageState.Recalled, ["never delivered: taken back by its sender or an operator"] },
        { "undecided", MessageState.Undecided, ["its producer has not decided the transaction", "asked 0 of 15 times"] },
        { "rolled back", MessageState.RolledBack, ["never delivered: the transaction", "was rolled back by its producer at"] },
        { "checks used up", MessageState.TransactionGivenUp, ["never delivered: nobody decided the transaction", "while its checks lasted (15)"] },
        { "trimmed", MessageState.Gone, ["the retention of the topic, or a purge, gave it up: queue 0 begins at offset 1 now"] },
        { "lite topic ended", MessageState.Gone, ["its lite topic 'one' has ended"] },
        { "routed", MessageState.InQueue, ["stored at offset 0 of queue 0, routed to offset 0 of queue 0 of topic 'u'"] },
    };

    [Theory]
    [MemberData(nameof(OfGroups))]
    public async Task A_group_that_is_not_given_a_message_hears_why(string reason, TraceState state, string[] parts)
    {
        var broker = new TestBroker();
        await Arrange(broker, reason);

        var trace = await broker.Run(node => node.ExplainMessageAsync(
            new TraceQuery("t", "id-m", 0, default) { Group = "g" }, None));

        Assert.Null(trace.Failure);
        var group = Assert.Single(trace.Groups);
        Assert.All(parts, part => Assert.Contains(part, group.Sentence, StringComparison.Ordinal));
        Assert.Equal(state, group.State);
        Assert.DoesNotContain(Environment.NewLine, group.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(OfMessages))]
    public async Task A_message_that_no_group_can_be_given_says_why(string reason, MessageState state, string[] parts)
    {
        var broker = new TestBroker();
        await Arrange(broker, reason);

        var trace = await broker.Run(node => node.ExplainMessageAsync(new TraceQuery("t", "id-m", 0, default), None));

        Assert.Null(trace.Failure);
        Assert.All(parts, part => Assert.Contains(part, trace.Sentence, StringComparison.Ordinal));
        Assert.Equal((state, "id-m"), (trace.State, trace.Message?.MessageId));
        Assert.Equal(state == MessageState.InQueue, trace.Message!.QueueOffset.Value >= 0);
        Assert.True(trace.IsHistoryComplete);
    }

    [Fact]
    public async Task A_place_that_holds_no_message_says_whether_it_did()
    {
        var broker = new TestBroker();
        await Arrange(broker, "trimmed");

        var before = await broker.Run(node => node.ExplainMessageAsync(new TraceQuery("t", "", 0, new QueueOffset(0)), None));
        var behind = await broker.Run(node => node.ExplainMessageAsync(new TraceQuery("t", "", 0, new QueueOffset(1)), None));
        var none = await broker.Run(node => node.ExplainMessageAsync(new TraceQuery("t", "", 9, default), None));

        Assert.Contains("retention or a purge took it, the queue begins at offset 1 now", before.Failure?.Detail, StringComparison.Ordinal);
        Assert.Contains("it was never stored, the next message gets offset 1", behind.Failure?.Detail, StringComparison.Ordinal);
        Assert.Contains("has no queue 9", none.Failure?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_reasons_at_once_are_both_told()
    {
        var broker = new TestBroker();
        await Arrange(broker, "behind a parked one");
        Assert.Null(await broker.Run(node => node.PauseGroupAsync("g", "", TimeSpan.Zero, None)));

        var trace = await broker.Run(node => node.ExplainMessageAsync(
            new TraceQuery("t", "id-m", 0, default) { Group = "g" }, None));

        Assert.Equal(TraceState.HeldBack, trace.Groups[0].State);
        Assert.Contains("set aside", trace.Groups[0].Sentence, StringComparison.Ordinal);
        Assert.Contains("besides, the group is paused", trace.Groups[0].Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_history_of_a_delayed_message_tells_its_moves_and_its_recall()
    {
        var broker = new TestBroker();
        await Arrange(broker, "moved");
        await Cancel(broker);

        var trace = await broker.Run(node => node.ExplainMessageAsync(new TraceQuery("t", "id-m", 0, default), None));

        Assert.Equal(
            [TraceEventKind.Stored, TraceEventKind.Rescheduled, TraceEventKind.Recalled],
            trace.History.Select(happened => happened.Kind));
        Assert.Equal(MessageState.Recalled, trace.State);
    }

    private static Task Arrange(TestBroker broker, string reason) => reason switch
    {
        "never read" => Simple(broker, new GroupSettings()),
        "in flight" => InFlight(broker),
        "nobody asks" => NobodyAsks(broker),
        "not reached" => NotReached(broker),
        "asked for later" => AskedForLater(broker),
        "back-off" => Expired(broker, new GroupSettings { BackoffOnExpiry = true }),
        "parked" => Expired(broker, new GroupSettings { MaxAttempts = 1, Poison = PoisonMode.Park }),
        "behind a parked one" => Behind(broker, new GroupSettings { MaxAttempts = 1, Poison = PoisonMode.Park }, seconds: 6),
        "behind one in flight" => Behind(broker, new GroupSettings(), seconds: 0),
        "paused" => Paused(broker, "ledger closed", TimeSpan.Zero),
        "paused for a while" => Paused(broker, "", TimeSpan.FromMinutes(5)),
        "in flight limit" => BehindOther(broker, new GroupSettings { MaxInFlight = 1 }),
        "in flight limit of clients" => BehindOther(broker, new GroupSettings { MaxInFlightPerClient = 1 }),
        "quota" => BehindOther(broker, new GroupSettings { ReceiveQuota = new QuotaRates(1, 0) }),
        "exclusive" => BehindOther(broker, new GroupSettings { Exclusive = true }),
        "filter said no" => Filtered(broker, "Red", "m", tag: "blue"),
        "filter said no by text" => Filtered(broker, "Aa", "m", tag: "BB"),
        "filter will say no" => WillBeFiltered(broker),
        "lived too long" => LivedTooLong(broker, ExpiryMode.Drop, isTurn: true),
        "lives too long" => LivedTooLong(broker, ExpiryMode.DeadLetter, isTurn: false),
        "dead by age" => LivedTooLong(broker, ExpiryMode.DeadLetter, isTurn: true),
        "dead by attempts" => Expired(broker, new GroupSettings { MaxAttempts = 1 }),
        "dead by its consumer" => DeadByConsumer(broker),
        "dead by an operator" => DeadByOperator(broker),
        "key processed" => Keyed(broker, isAcknowledged: true),
        "key in flight" => Keyed(broker, isAcknowledged: false),
        "began behind it" => BeganBehind(broker),
        "set behind it" => SetBehind(broker),
        "moved behind it" => MovedBehind(broker),
        "lite topic" => Lite(broker),
        "less urgent" => LessUrgent(broker),
        "once only" => OnceOnly(broker),
        "delayed" => Delayed(broker),
        "moved" => Moved(broker),
        "recalled" => Recalled(broker),
        "undecided" => Transaction(broker, null),
        "rolled back" => Transaction(broker, TransactionResolution.Rollback),
        "checks used up" => ChecksUsedUp(broker),
        "trimmed" => Trimmed(broker),
        "lite topic ended" => LiteEnded(broker),
        "routed" => Routed(broker),
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "no such case"),
    };

    private static async Task Simple(TestBroker broker, GroupSettings settings, bool isFifo = false)
    {
        await broker.CreateTopic("t", types: isFifo ? MessageTypeSet.Of(MessageType.Fifo) : null);
        await broker.CreateGroup(new GroupSpec { Name = "g", Fifo = isFifo, Settings = settings });
        if (!isFifo)
        {
            await broker.Send("t", "m");
        }
    }

    private static async Task InFlight(TestBroker broker)
    {
        await Simple(broker, new GroupSettings());
        Assert.Single(await broker.Receive("g", "t"));
    }

    private static async Task NobodyAsks(TestBroker broker)
    {
        await Simple(broker, new GroupSettings());
        Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));
        broker.Advance(TimeSpan.FromMinutes(3));
    }

    private static async Task NotReached(TestBroker broker)
    {
        await broker.CreateTopic("t");
        await broker.Send("t", "first");
        await broker.Send("t", "second");
        await broker.Send("t", "m");
        await broker.Receive("g", "t", batch: 1);
    }

    private static async Task AskedForLater(TestBroker broker)
    {
        await Simple(broker, new GroupSettings());
        var message = Assert.Single(await broker.Receive("g", "t"));
        await broker.Run(node => node.ChangeInvisibleAsync("g", "t", message.ReceiptHandle, TimeSpan.FromSeconds(20), false, None));
    }

    private static async Task Expired(TestBroker broker, GroupSettings settings)
    {
        await Simple(broker, settings);
        Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));
        broker.Advance(TimeSpan.FromSeconds(6));
    }

    private static async Task Behind(TestBroker broker, GroupSettings settings, double seconds)
    {
        await Simple(broker, settings, isFifo: true);
        await broker.Send("t", "first", group: "a");
        await broker.Send("t", "m", group: "a");
        Assert.Single(await broker.Receive("g", "t", batch: 1, invisibleSeconds: 5));
        broker.Advance(TimeSpan.FromSeconds(seconds));
    }

    private static async Task Paused(TestBroker broker, string why, TimeSpan duration)
    {
        await Simple(broker, new GroupSettings());
        Assert.Null(await broker.Run(node => node.PauseGroupAsync("g", why, duration, None)));
        Assert.Empty(await broker.Receive("g", "t"));
    }

    private static async Task BehindOther(TestBroker broker, GroupSettings settings)
    {
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = settings });
        await broker.Send("t", "first");
        await broker.Send("t", "m");
        Assert.Single(await broker.Receive("g", "t", batch: 1));
    }

    // "Aa" and "BB" have the same hash, so only a look at the record tells them apart.
    private static async Task Filtered(TestBroker broker, string filter, string body, string tag)
    {
        await broker.CreateTopic("t");
        await broker.Send("t", body, tag);
        Assert.Empty(await broker.Receive("g", "t", filter: filter));
        broker.Settle();
    }

    private static async Task WillBeFiltered(TestBroker broker)
    {
        await broker.CreateTopic("t");
        Assert.Empty(await broker.Receive("g", "t", filter: "blue"));
        await broker.Send("t", "m", "red");
    }

    private static async Task LivedTooLong(TestBroker broker, ExpiryMode mode, bool isTurn)
    {
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { Expiry = mode } });
        Assert.Empty(await broker.Receive("g", "t"));
        var draft = TestBroker.Draft("m") with { UserProperties = [KeyValuePair.Create(TimeToLive.Property, "5000")] };
        await Append(broker, draft);
        broker.Advance(TimeSpan.FromSeconds(6));
        if (isTurn)
        {
            Assert.Empty(await broker.Receive("g", "t"));
            broker.Settle();
        }
    }

    private static async Task DeadByConsumer(TestBroker broker)
    {
        await Simple(broker, new GroupSettings());
        var message = Assert.Single(await broker.Receive("g", "t"));
        Assert.Null(await broker.Run(node => node.ForwardToDeadLetterAsync("g", "t", message.ReceiptHandle, None)));
    }

    private static async Task DeadByOperator(TestBroker broker)
    {
        await Expired(broker, new GroupSettings { MaxAttempts = 1, Poison = PoisonMode.Park });
        var dropped = await broker.Run(node => node.DropParkedAsync(new ParkingSelection { Group = "g" }, None));
        Assert.Equal((1, null), dropped);
        broker.Settle();
    }

    private static async Task Keyed(TestBroker broker, bool isAcknowledged)
    {
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec
        {
            Name = "g",
            Settings = new GroupSettings { Dedup = new DedupSettings(DedupSource.Key, "", 0, 0) },
        });
        await Append(broker, TestBroker.Draft("first") with { Keys = ["k"] });
        await Append(broker, TestBroker.Draft("m") with { Keys = ["k"] });
        var first = Assert.Single(await broker.Receive("g", "t"));
        if (isAcknowledged)
        {
            Assert.Null(await broker.Ack("g", "t", first));
            Assert.Empty(await broker.Receive("g", "t"));
        }
    }

    private static async Task BeganBehind(TestBroker broker)
    {
        await broker.CreateTopic("t");
        await broker.Send("t", "m");
        await broker.CreateGroup(new GroupSpec { Name = "g", Start = GroupStart.Latest });
        Assert.Empty(await broker.Receive("g", "t"));
    }

    private static async Task SetBehind(TestBroker broker)
    {
        await NotReached(broker);
        var seek = new SeekRequest { Group = "g", Topic = "t", Target = SeekTarget.Latest };
        Assert.Null((await broker.Run(node => node.SeekAsync(seek, None))).Failure);
    }

    private static async Task MovedBehind(TestBroker broker)
    {
        await NotReached(broker);
        Assert.Null(await broker.Run(node => node.UpdateOffsetAsync("g", "t", 0, 3, None)));
    }

    private static async Task Lite(TestBroker broker)
    {
        await LiteParent(broker);
        await broker.Run(node => node.SyncLiteAsync(new LiteSync("g", "t", "client", LiteAction.PartialAdd, ["other"]), None));
        Assert.Empty(await broker.Receive("g", "t"));
    }

    private static async Task LiteEnded(TestBroker broker)
    {
        await LiteParent(broker);
        Assert.Null(await broker.Run(node => node.DeleteLiteAsync("t", "one", None)));
    }

    private static async Task LiteParent(TestBroker broker)
    {
        await broker.CreateTopic("t", types: MessageTypeSet.Lite);
        await Append(broker, TestBroker.Draft("m") with { Type = MessageType.Lite, LiteTopic = "one" });
    }

    private static async Task LessUrgent(TestBroker broker)
    {
        await broker.CreateTopic("t", queues: 3, types: MessageTypeSet.Priority);
        Assert.Empty(await broker.Receive("g", "t"));
        await Append(broker, TestBroker.Draft("urgent") with { Type = MessageType.Priority, Priority = 2 });
        await Append(broker, TestBroker.Draft("other") with { Type = MessageType.Priority, Priority = 2 });
        Assert.Single(await broker.Receive("g", "t", batch: 1));
        await Append(broker, TestBroker.Draft("m") with { Type = MessageType.Priority, Priority = 0 });
    }

    private static async Task OnceOnly(TestBroker broker)
    {
        await Simple(broker, new GroupSettings { AckMode = AckMode.AtMostOnce });
        Assert.Single(await broker.Receive("g", "t"));
        broker.Advance(TimeSpan.FromMinutes(1));
    }

    private static async Task Delayed(TestBroker broker)
    {
        await broker.CreateTopic("t", types: MessageTypeSet.Of(MessageType.Delay));
        await broker.SendDelayed("t", "m", TimeSpan.FromHours(1), "key");
    }

    private static async Task Moved(TestBroker broker)
    {
        await Delayed(broker);
        var later = broker.Time.NowMicroseconds + 7_200_000_000;
        var moved = await broker.Run(node => node.MovePendingAsync(
            new PendingSelection { Topic = "t" }, later, 10, null, None));
        Assert.Null(moved.Failure);
    }

    private static async Task Recalled(TestBroker broker)
    {
        await Delayed(broker);
        await Cancel(broker);
    }

    private static async Task Cancel(TestBroker broker)
    {
        var cancelled = await broker.Run(node => node.CancelPendingAsync(
            new PendingSelection { Topic = "t" }, 10, null, None));
        Assert.Null(cancelled.Failure);
    }

    private static async Task Transaction(TestBroker broker, TransactionResolution? resolution)
    {
        await broker.CreateTopic("t", types: MessageTypeSet.Of(MessageType.Transaction));
        var begun = await Append(broker, TestBroker.Draft("m") with { Type = MessageType.Transaction });
        if (resolution is { } decided)
        {
            Assert.Null(await broker.Run(node => node.EndTransactionsAsync(
                [begun.TransactionId!], decided, TransactionDecider.Producer, None)));
        }
    }

    private static async Task ChecksUsedUp(TestBroker broker)
    {
        await Transaction(broker, null);
        broker.Advance(TimeSpan.FromMinutes(20));
    }

    private static async Task Trimmed(TestBroker broker)
    {
        await broker.CreateTopic("t");
        await broker.Send("t", "m");
        var change = new TopicChange { Name = "t", RetentionTime = TimeSpan.FromHours(1) };
        Assert.Null(await broker.Run(node => node.UpdateTopicAsync(change, None)));
        broker.Advance(TimeSpan.FromHours(3));
    }

    private static async Task Routed(TestBroker broker)
    {
        await broker.CreateTopic("t");
        await broker.CreateTopic("u");
        Assert.True(MessageFilter.TryParseTags("*", out var all, out _));
        var (_, failure) = await broker.Run(node => node.AddRouteAsync(
            new RouteSpec("t", "", "u", all), isTrial: false, None));
        Assert.Null(failure);
        await broker.Send("t", "m");
    }

    private static async Task<AppendedMessage> Append(TestBroker broker, MessageDraft draft)
    {
        var outcome = await broker.Run(node => node.AppendAsync("t", [draft], None));
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        return Assert.Single(outcome.Messages);
    }
}
