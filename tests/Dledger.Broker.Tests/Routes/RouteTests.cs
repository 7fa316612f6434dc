using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Lookups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Routes;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;
using Dledger.Broker.Traces;
using Dledger.Broker.Transactions;
using Dledger.Primitives;
using Dledger.Testing.Disks;

namespace Dledger.Broker.Tests.Routes;

public sealed class RouteTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_message_stands_in_its_topic_and_in_each_topic_whose_rule_matches()
    {
        var broker = await Prepare();
        await Add(broker, "b", "red || green");
        await Add(broker, "c", "SQL price > 10");
        await Add(broker, "d", "*");

        await Send(broker, "m1", "red", price: 5);
        await Send(broker, "m2", "blue", price: 20);
        await Send(broker, "m3", null, price: null);

        Assert.Equal(["m1", "m2", "m3"], await Texts(broker, "a"));
        Assert.Equal(["m1"], await Texts(broker, "b"));
        Assert.Equal(["m2"], await Texts(broker, "c"));
        Assert.Equal(["m1", "m2", "m3"], await Texts(broker, "d"));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_routed_message_is_the_same_message_with_topic_queue_and_offset_of_the_target()
    {
        var broker = await Prepare();
        await Add(broker, "b");
        await broker.Send("b", "before");

        var sent = await Send(broker, "m", "red", price: 7);

        var routed = (await broker.Receive("g", "b")).Single(message => TestBroker.Text(message) == "m");
        Assert.Equal(("b", 0, 1L, "id-m", "red"), (routed.Topic, routed.QueueId, routed.QueueOffset.Value, routed.MessageId, routed.Tag));
        Assert.Equal((sent.Position, sent.StoreTimeMicroseconds), (routed.Position, routed.StoreTimeMicroseconds));
        Assert.Equal(KeyValuePair.Create("price", "7"), Assert.Single(routed.UserProperties));
        Assert.Equal(["key-m"], routed.Keys);
        Assert.Null(await broker.Ack("g", "b", routed));
    }

    [Fact]
    public async Task Groups_of_the_source_and_of_a_target_finish_a_message_each_for_itself()
    {
        var broker = await Prepare();
        await Add(broker, "b");
        await broker.Send("a", "m");

        Assert.Null(await broker.Ack("g", "a", Assert.Single(await broker.Receive("g", "a"))));
        Assert.Null(await broker.Ack("g", "b", Assert.Single(await broker.Receive("g", "b"))));

        broker.Advance(TimeSpan.FromMinutes(2));
        Assert.Empty(await broker.Receive("g", "a"));
        Assert.Empty(await broker.Receive("g", "b"));
    }

    [Fact]
    public async Task A_route_is_followed_one_hop_and_circles_do_no_harm()
    {
        var broker = await Prepare();
        await Add(broker, "b");
        await Add(broker, "c", source: "b");
        await Add(broker, "a", source: "b");

        await broker.Send("a", "m");

        Assert.Equal(["m"], await Texts(broker, "a"));
        Assert.Equal(["m"], await Texts(broker, "b"));
        Assert.Empty(await Texts(broker, "c"));
    }

    [Fact]
    public async Task Two_routes_to_one_topic_bring_a_message_once()
    {
        var broker = await Prepare();
        await Add(broker, "b", "red", name: "reds");
        await Add(broker, "b", "SQL price > 10", name: "dear");

        await Send(broker, "both", "red", price: 20);
        await Send(broker, "one", "blue", price: 20);

        Assert.Equal(["both", "one"], await Texts(broker, "b"));
    }

    [Fact]
    public async Task Each_message_of_a_batch_is_routed_by_itself()
    {
        var broker = await Prepare();
        await Add(broker, "b", "red");

        var outcome = await broker.Run(node => node.AppendAsync(
            "a", [TestBroker.Draft("m1", "red"), TestBroker.Draft("m2", "blue"), TestBroker.Draft("m3", "red")], None));

        Assert.True(outcome.Succeeded);
        Assert.Equal(["m1", "m2", "m3"], await Texts(broker, "a"));
        Assert.Equal(["m1", "m3"], await Texts(broker, "b"));
    }

    [Fact]
    public async Task The_messages_of_a_message_group_keep_their_order_in_the_target()
    {
        var broker = new TestBroker();
        var both = MessageTypeSet.Of(MessageType.Fifo, MessageType.Normal);
        await broker.CreateTopic("a", queues: 4, types: both);
        await broker.CreateTopic("b", queues: 3, types: both);
        await broker.CreateGroup(new GroupSpec { Name = "ordered", Fifo = true });
        await Add(broker, "b");
        for (var n = 0; n < 12; n++)
        {
            await broker.Send("a", $"{n % 3}-{n:d2}", group: $"group-{n % 3}");
        }

        var seen = new List<string>();
        while (await broker.Receive("ordered", "b", batch: 4) is { Count: > 0 } messages)
        {
            foreach (var message in messages)
            {
                seen.Add(TestBroker.Text(message));
                Assert.Null(await broker.Ack("ordered", "b", message));
            }
        }

        Assert.Equal(12, seen.Count);
        Assert.All(seen.GroupBy(text => text[0]), lane => Assert.Equal(lane.Order(), lane));
    }

    [Fact]
    public async Task A_repeat_is_answered_with_the_first_result_and_not_routed_again()
    {
        var broker = await Prepare();
        await broker.Run(node => node.UpdateTopicAsync(
            new TopicChange { Name = "a", IdWindowTime = TimeSpan.FromMinutes(5) }, None));
        await Add(broker, "b");
        var first = await broker.Send("a", "m");

        var repeat = await broker.Send("a", "m");

        Assert.Equal(first with { IsDuplicate = true }, repeat);
        Assert.Equal(["m"], await Texts(broker, "b"));
    }

    [Fact]
    public async Task A_delayed_message_is_routed_when_it_becomes_visible_by_the_routes_of_then()
    {
        var broker = await Prepare();
        await Add(broker, "b");
        await broker.SendDelayed("a", "late", TimeSpan.FromMinutes(1));
        await Remove(broker, "b");
        await Add(broker, "c");

        Assert.Empty(await Texts(broker, "b"));
        Assert.Empty(await Texts(broker, "c"));
        broker.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(["late"], await Texts(broker, "a"));
        Assert.Empty(await Texts(broker, "b"));
        Assert.Equal(["late"], await Texts(broker, "c"));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_transactional_message_is_routed_with_its_commit_and_never_after_a_rollback()
    {
        var broker = await Prepare();
        await Add(broker, "b");
        var kept = await Begin(broker, "kept");
        var dropped = await Begin(broker, "dropped");
        Assert.Empty(await Texts(broker, "b"));

        await End(broker, kept, TransactionResolution.Commit);
        await End(broker, dropped, TransactionResolution.Rollback);

        Assert.Equal(["kept"], await Texts(broker, "a"));
        Assert.Equal(["kept"], await Texts(broker, "b"));
    }

    [Fact]
    public async Task A_dead_letter_of_a_target_names_the_target_and_is_not_routed_when_it_is_sent_again()
    {
        var broker = await Prepare();
        await Add(broker, "b");
        await broker.CreateGroup(new GroupSpec { Name = "once", Settings = GroupSettings.Default with { MaxAttempts = 1 } });
        await broker.Send("a", "m");
        await broker.Receive("once", "b", invisibleSeconds: 1);
        broker.Advance(TimeSpan.FromSeconds(5));

        var letter = Assert.Single(await broker.Receive("g", "%DLQ%once"));

        Assert.Equal(("b", "id-m"), (letter.DeadLetterOrigin!.Value.Topic, letter.DeadLetterOrigin.Value.MessageId));
    }

    [Fact]
    public async Task A_message_is_found_in_its_target_by_id_and_key()
    {
        var broker = await Prepare();
        await Add(broker, "b", "red");
        var sent = await Send(broker, "m", "red", price: null);
        await Send(broker, "other", "blue", price: null);

        var byId = await Find(broker, new KeyQuery("b", "id-m", IsMessageId: true));
        var byKey = await Find(broker, new KeyQuery("b", "key-m", IsMessageId: false));
        var absent = await Find(broker, new KeyQuery("b", "id-other", IsMessageId: true));

        Assert.Equal(("b", sent.Position), (Assert.Single(byId.Messages).Topic, byId.Messages[0].Position));
        Assert.Equal("m", TestBroker.Text(Assert.Single(byKey.Messages)));
        Assert.Empty(absent.Messages);
    }

    [Fact]
    public async Task The_trace_of_a_message_tells_where_it_was_routed()
    {
        var broker = await Prepare();
        await Add(broker, "b");
        await broker.Send("a", "m");

        var source = await broker.Run(node => node.ExplainMessageAsync(new TraceQuery("a", "id-m", 0, default), None));
        var target = await broker.Run(node => node.ExplainMessageAsync(new TraceQuery("b", "id-m", 0, default), None));

        Assert.Equal("stored at offset 0 of queue 0, routed to offset 0 of queue 0 of topic 'b'", source.History[0].Sentence);
        Assert.Equal("stored at offset 0 of queue 0, routed from topic 'a'", target.History[0].Sentence);
    }

    [Fact]
    public async Task A_receiver_that_waits_at_the_target_wakes()
    {
        var broker = await Prepare();
        await Add(broker, "b");
        var poll = broker.Poll("g", "b");
        Assert.False(poll.IsCompleted);

        await broker.Send("a", "m");

        Assert.Equal("m", TestBroker.Text(Assert.Single((await poll).Messages)));
    }

    [Fact]
    public async Task Routes_and_routed_messages_survive_a_restart_from_checkpoint_and_from_the_log()
    {
        var broker = await Prepare();
        await Add(broker, "b", "SQL price > 10");
        await Send(broker, "m1", "red", price: 20);
        var before = broker.StateHash;

        broker.Restart();
        Assert.Equal(before, broker.StateHash);
        await Send(broker, "m2", "red", price: 30);
        await Send(broker, "m3", "red", price: 1);

        Assert.Equal(["m1", "m2"], await Texts(broker, "b"));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task Retention_of_the_source_takes_nothing_from_the_target()
    {
        var broker = new TestBroker(
            new BrokerOptions { AutoCreateTopics = true, RetentionTime = TimeSpan.FromHours(10) }, new SimulatedDisk(seed: 1));
        await broker.CreateTopic("a");
        await broker.CreateTopic("b");
        await broker.CreateGroup(new GroupSpec { Name = "g" });
        await broker.Run(node => node.UpdateTopicAsync(
            new TopicChange { Name = "a", RetentionTime = TimeSpan.FromMinutes(1) }, None));
        await Add(broker, "b");
        await broker.Send("a", "m");

        broker.Advance(TimeSpan.FromMinutes(10));

        Assert.Empty(await Texts(broker, "a"));
        Assert.Equal(["m"], await Texts(broker, "b"));
    }

    [Fact]
    public async Task Removing_a_route_leaves_what_it_brought_and_brings_no_more()
    {
        var broker = await Prepare();
        await Add(broker, "b");
        await broker.Send("a", "m1");

        await Remove(broker, "b");
        await broker.Send("a", "m2");

        Assert.Equal(["m1"], await Texts(broker, "b"));
    }

    [Fact]
    public async Task A_topic_that_a_route_leads_to_is_deleted_only_after_the_route()
    {
        var broker = await Prepare();
        await Add(broker, "b", name: "all");

        var refused = await broker.Run(node => node.DeleteTopicAsync("b", None));
        await Remove(broker, "all");
        var deleted = await broker.Run(node => node.DeleteTopicAsync("b", None));

        Assert.Equal((BrokerError.InvalidArgument, BrokenRule.Route), (refused!.Value.Error, refused.Value.Rule));
        Assert.Contains("dledger topic route remove --topic a --name all", refused.Value.Detail, StringComparison.Ordinal);
        Assert.Null(deleted);
    }

    [Fact]
    public async Task A_trial_changes_nothing()
    {
        var broker = await Prepare();
        var hash = broker.StateHash;

        var (route, failure) = await broker.Run(node => node.AddRouteAsync(Spec("a", "b"), isTrial: true, None));

        Assert.Null(failure);
        Assert.Equal("b", route!.Name);
        Assert.Equal(hash, broker.StateHash);
        Assert.Equal(
            BrokerError.RouteNotFound, (await broker.Run(node => node.RemoveRouteAsync("a", "b", isTrial: true, None)))!.Value.Error);
    }

    [Fact]
    public async Task The_same_route_again_is_no_fault_and_another_one_of_its_name_is()
    {
        var broker = await Prepare();
        await Add(broker, "b", "red");
        await Add(broker, "b", "red");

        var (_, failure) = await broker.Run(node => node.AddRouteAsync(Spec("a", "b", "green"), false, None));

        Assert.Equal(BrokerError.AlreadyExists, failure!.Value.Error);
        var (routes, _) = await broker.Run(node => node.ListRoutesAsync("a", None));
        Assert.Equal(("b", "b", "red"), (Assert.Single(routes).Name, routes[0].Target, routes[0].Filter.Text));
    }

    [Theory]
    [InlineData("a", "a", "*", "own route")]
    [InlineData("a", "fifo-only", "*", "the topic 'a' accepts Normal messages, which its route 'fifo-only' brings to 'fifo-only' as Normal ones")]
    [InlineData("fifo-only", "a", "*", "accepts Fifo messages")]
    [InlineData("a", "light", "*", "accepts Lite; only topics that accept nothing but Normal, Fifo, Delay, Transaction")]
    [InlineData("a", "%DLQ%g", "*", "dead letter topic")]
    [InlineData("a", "TBW102", "*", "reserved for the system")]
    [InlineData("a", "no such topic", "*", "character other than")]
    [InlineData("a", "absent", "*", "there is no topic 'absent'")]
    [InlineData("absent", "b", "*", "there is no topic 'absent'")]
    public async Task What_no_route_may_be_is_refused_and_changes_nothing(string source, string target, string filter, string expected)
    {
        var broker = await Prepare();
        await broker.CreateTopic("fifo-only", types: MessageTypeSet.Of(MessageType.Fifo));
        await broker.CreateTopic("light", types: MessageTypeSet.Of(MessageType.Lite));
        var hash = broker.StateHash;

        var (route, failure) = await broker.Run(node => node.AddRouteAsync(Spec(source, target, filter), false, None));

        Assert.Null(route);
        Assert.Contains(expected, failure!.Value.Detail, StringComparison.Ordinal);
        Assert.Equal(hash, broker.StateHash);
    }

    [Fact]
    public async Task Names_filters_and_the_number_of_routes_have_bounds()
    {
        var broker = await Prepare();
        for (var n = 0; n < Limits.RoutesPerTopicMax; n++)
        {
            await Add(broker, "b", name: $"r{n}");
        }

        var oneMore = await Failure(broker, Spec("a", "b") with { Name = "more" });
        var longName = await Failure(broker, Spec("a", "c") with { Name = new string('x', 128) });
        var badName = await Failure(broker, Spec("a", "c") with { Name = "a b" });
        var longFilter = await Failure(broker, Spec("a", "c", $"SQL x = '{new string('y', 1_024)}'"));

        Assert.Contains("has 16 routes; the limit is 16", oneMore.Detail, StringComparison.Ordinal);
        Assert.Contains("1 to 127", longName.Detail, StringComparison.Ordinal);
        Assert.Contains("'a b'", badName.Detail, StringComparison.Ordinal);
        Assert.Contains("takes 1030 bytes; the limit is 1024", longFilter.Detail, StringComparison.Ordinal);
        Assert.All(new[] { oneMore, longName, badName, longFilter }, failure => Assert.Equal(BrokenRule.Route, failure.Rule));
    }

    [Fact]
    public async Task A_change_of_types_that_a_route_does_not_bear_is_refused_at_either_end()
    {
        var broker = await Prepare();
        await Add(broker, "b");
        var fifo = MessageTypeSet.Of(MessageType.Fifo);

        var source = await broker.Run(node => node.UpdateTopicAsync(new TopicChange { Name = "a", AcceptedTypes = fifo }, None));
        var target = await broker.Run(node => node.UpdateTopicAsync(new TopicChange { Name = "b", AcceptedTypes = fifo }, None));

        Assert.Equal(BrokenRule.Route, source!.Value.Rule);
        Assert.Equal(BrokenRule.Route, target!.Value.Rule);
    }

    private static async Task<TestBroker> Prepare()
    {
        var broker = new TestBroker();
        var types = MessageTypeSet.Of(MessageType.Normal, MessageType.Delay, MessageType.Transaction);
        await broker.CreateTopic("a", types: types);
        foreach (var target in new[] { "b", "c", "d" })
        {
            await broker.CreateTopic(target);
        }

        await broker.CreateGroup(new GroupSpec { Name = "g" });
        return broker;
    }

    private static RouteSpec Spec(string source, string target, string filter = "*")
    {
        var isValid = filter.StartsWith("SQL ", StringComparison.Ordinal)
            ? MessageFilter.TryParseSql(filter[4..], out var parsed, out var violation)
            : MessageFilter.TryParseTags(filter, out parsed, out violation);
        Assert.True(isValid, violation.Detail);
        return new RouteSpec(source, "", target, parsed);
    }

    private static async Task Add(TestBroker broker, string target, string filter = "*", string source = "a", string name = "")
    {
        var (_, failure) = await broker.Run(node => node.AddRouteAsync(
            Spec(source, target, filter) with { Name = name }, isTrial: false, None));
        Assert.Null(failure);
    }

    private static async Task Remove(TestBroker broker, string name) =>
        Assert.Null(await broker.Run(node => node.RemoveRouteAsync("a", name, isTrial: false, None)));

    private static async Task<BrokerFailure> Failure(TestBroker broker, RouteSpec spec) =>
        (await broker.Run(node => node.AddRouteAsync(spec, isTrial: false, None))).Failure!.Value;

    private static async Task<AppendedMessage> Send(TestBroker broker, string body, string? tag, int? price)
    {
        var draft = TestBroker.Draft(body, tag) with
        {
            Keys = [$"key-{body}"],
            UserProperties = price is { } number ? [KeyValuePair.Create("price", $"{number}")] : [],
        };
        var outcome = await broker.Run(node => node.AppendAsync("a", [draft], None));
        Assert.Null(outcome.Failure);
        return Assert.Single(outcome.Messages);
    }

    private static async Task<string> Begin(TestBroker broker, string body)
    {
        var outcome = await broker.Run(node => node.AppendAsync(
            "a", [TestBroker.Draft(body) with { Type = MessageType.Transaction }], None));
        return Assert.Single(outcome.Messages).TransactionId!;
    }

    private static async Task End(TestBroker broker, string id, TransactionResolution resolution) =>
        Assert.Null(await broker.Run(node => node.EndTransactionsAsync(
            [id], resolution, TransactionDecider.Producer, None)));

    private static Task<LookupOutcome> Find(TestBroker broker, KeyQuery query) =>
        broker.Run(node => node.FindMessagesAsync(query, None));

    private static async Task<string[]> Texts(TestBroker broker, string topic) =>
        [.. (await broker.Run(node => node.ReadMessagesAsync(new MessagePlace(topic, 0, new QueueOffset(0)), 100, None)))
            .Messages.Select(TestBroker.Text)];
}
