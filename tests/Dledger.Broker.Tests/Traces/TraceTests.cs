using Dledger.Broker.Groups;
using Dledger.Broker.Replays;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Traces;
using Dledger.Primitives;

namespace Dledger.Broker.Tests.Traces;

public sealed class TraceTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_message_that_nobody_asked_for_says_so()
    {
        var broker = await Prepare();
        await broker.CreateGroup(new GroupSpec { Name = "idle" });
        await broker.Send("t", "m");

        var all = await Explain(broker, "m");
        var idle = await Explain(broker, "m", "idle");

        Assert.Empty(all.Groups);
        Assert.Equal(TraceState.NeverRead, Assert.Single(idle.Groups).State);
        Assert.Equal(TraceEventKind.Stored, Assert.Single(all.History).Kind);
        Assert.True(all.IsHistoryComplete);
    }

    [Fact]
    public async Task A_message_in_flight_names_its_client_attempt_and_end()
    {
        var broker = await Prepare();
        await broker.Send("t", "m");
        await broker.Receive("g", "t", invisibleSeconds: 30);

        var group = Assert.Single((await Explain(broker, "m")).Groups);

        Assert.Equal((TraceState.InFlight, "'client'", 1), (group.State, group.Client, group.Attempts));
        Assert.StartsWith("in flight with client 'client' in attempt 1 of 17, until ", group.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replay_is_part_of_the_story_and_begins_it_anew()
    {
        var broker = await Prepare();
        await broker.Send("t", "m");
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));
        await broker.Run(node => node.ReplayAsync(new ReplayRequest { Group = "g", Topic = "t" }, None));
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));

        var trace = await Explain(broker, "m");

        Assert.Equal(
            [
                TraceEventKind.Stored, TraceEventKind.Delivered, TraceEventKind.Acknowledged,
                TraceEventKind.Replayed, TraceEventKind.Delivered, TraceEventKind.Acknowledged,
            ],
            trace.History.Select(happened => happened.Kind));
        Assert.Equal(1, trace.History[4].Attempt);
        Assert.Equal(TraceState.Acknowledged, Assert.Single(trace.Groups).State);
    }

    [Fact]
    public async Task The_story_of_a_message_is_told_in_the_order_of_the_log()
    {
        var broker = await Prepare();
        await broker.Send("t", "m");
        var first = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));
        broker.Advance(TimeSpan.FromSeconds(6));
        Assert.NotNull(await broker.Ack("g", "t", first));
        var second = Assert.Single(await broker.Receive("g", "t"));
        await broker.Run(node => node.ChangeInvisibleAsync("g", "t", second.ReceiptHandle, TimeSpan.FromSeconds(20), false, None));
        var waiting = Assert.Single((await Explain(broker, "m")).Groups);
        broker.Advance(TimeSpan.FromSeconds(21));
        var third = Assert.Single(await broker.Receive("g", "t"));
        Assert.Null(await broker.Ack("g", "t", third));

        var trace = await Explain(broker, "m");

        Assert.Equal((TraceState.WaitsForRetry, 2), (waiting.State, waiting.Attempts));
        Assert.Equal((TraceState.Acknowledged, 3), (trace.Groups[0].State, trace.Groups[0].Attempts));
        Assert.Equal(
            [
                TraceEventKind.Stored, TraceEventKind.Delivered, TraceEventKind.Expired, TraceEventKind.LateAnswer,
                TraceEventKind.Delivered, TraceEventKind.RetryAsked, TraceEventKind.Expired, TraceEventKind.Delivered,
                TraceEventKind.Acknowledged,
            ],
            trace.History.Select(happened => happened.Kind));
        Assert.Equal(trace.History.OrderBy(happened => happened.Microseconds), trace.History);
    }

    [Fact]
    public async Task A_message_that_the_filter_left_out_is_told_from_an_acknowledged_one()
    {
        var broker = await Prepare();
        await broker.Send("t", "red", tag: "red");
        await broker.Send("t", "blue", tag: "blue");
        Assert.Single(await broker.Receive("g", "t", filter: "blue"));

        Assert.Equal(TraceState.FilteredOut, (await Explain(broker, "red")).Groups[0].State);
        Assert.Equal(TraceState.InFlight, (await Explain(broker, "blue")).Groups[0].State);
    }

    [Fact]
    public async Task A_dead_letter_says_how_it_became_one_and_that_it_was_sent_again()
    {
        var broker = await Prepare();
        await broker.CreateGroup(new GroupSpec { Name = "poor", Settings = new GroupSettings { MaxAttempts = 1 } });
        await broker.Send("t", "m");
        await broker.Receive("poor", "t", invisibleSeconds: 5);
        broker.Advance(TimeSpan.FromSeconds(6));
        await broker.Run(node => node.ResendDeadLettersAsync("poor", [default], None));

        var origin = await broker.Run(node => node.ExplainMessageAsync(new TraceQuery("t", "", 0, default), None));
        var letter = await Explain(broker, "m", topic: "%DLQ%poor");
        var newest = await Explain(broker, "m");

        Assert.Equal(TraceState.DeadLettered, Assert.Single(origin.Groups).State);
        Assert.Contains("out of attempts", origin.Groups[0].Sentence, StringComparison.Ordinal);
        Assert.Contains(letter.History, happened => happened.Kind == TraceEventKind.SentAgain);
        Assert.True(newest.HasOthers);
        Assert.Equal(TraceState.Available, Assert.Single(newest.Groups).State);
    }

    [Fact]
    public async Task What_waits_behind_others_says_how_many()
    {
        var broker = await Prepare();
        for (var n = 0; n < 5; n++)
        {
            await broker.Send("t", $"m{n}");
        }

        await broker.Receive("g", "t", batch: 2);

        var group = Assert.Single((await Explain(broker, "m4")).Groups);
        Assert.Equal((TraceState.NotReached, 4), (group.State, group.MessagesAhead));
        Assert.Contains("2 messages of its queue will be looked at before it", group.Sentence, StringComparison.Ordinal);
        Assert.Equal(TraceState.Available, (await Explain(broker, "m2")).Groups[0].State);
    }

    [Fact]
    public async Task A_group_that_began_behind_the_message_never_got_it()
    {
        var broker = await Prepare();
        await broker.Send("t", "m");
        await broker.CreateGroup(new GroupSpec { Name = "late", Start = GroupStart.Latest });
        await broker.Receive("late", "t");

        Assert.Equal(TraceState.PassedBy, (await Explain(broker, "m", "late")).Groups[0].State);
    }

    [Fact]
    public async Task A_history_that_is_cut_off_says_so_and_goes_on_where_it_ended()
    {
        var broker = await Prepare();
        await broker.Send("t", "m");
        for (var n = 0; n < 20; n++)
        {
            await broker.Send("t", $"filler {n}");
        }

        await broker.Ack("g", "t", (await broker.Receive("g", "t", batch: 1))[0]);
        var query = new TraceQuery("t", "id-m", 0, default) { HistoryBytesMax = 1_000 };

        var first = await broker.Run(node => node.ExplainMessageAsync(query, None));
        var kinds = first.History.Select(happened => happened.Kind).ToList();
        var end = first.HistoryEnd;
        for (var call = 0; call < 100 && end < broker.Log.End; call++)
        {
            var next = await broker.Run(node => node.ExplainMessageAsync(query with { HistoryFrom = end }, None));
            kinds.AddRange(next.History.Select(happened => happened.Kind));
            Assert.True(next.HistoryEnd > end);
            end = next.HistoryEnd;
        }

        Assert.False(first.IsHistoryComplete);
        Assert.Equal(TraceState.Finished, first.Groups[0].State);
        Assert.Equal([TraceEventKind.Stored, TraceEventKind.Delivered, TraceEventKind.Acknowledged], kinds);
    }

    [Fact]
    public async Task A_message_that_is_not_there_is_refused_with_what_that_means()
    {
        var broker = await Prepare();

        var byId = await Explain(broker, "none");
        var byPlace = await broker.Run(node => node.ExplainMessageAsync(new TraceQuery("t", "", 0, new QueueOffset(7)), None));
        await broker.Send("t", "m");

        Assert.Equal(BrokerError.MessageNotFound, byId.Failure?.Error);
        Assert.Equal(BrokerError.MessageNotFound, byPlace.Failure?.Error);
        Assert.Equal(BrokerError.GroupNotFound, (await Explain(broker, "m", "nobody")).Failure?.Error);
    }

    private static async Task<TestBroker> Prepare()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        return broker;
    }

    private static Task<MessageTrace> Explain(TestBroker broker, string body, string? group = null, string topic = "t") =>
        broker.Run(node => node.ExplainMessageAsync(new TraceQuery(topic, $"id-{body}", 0, default) { Group = group }, None));
}
