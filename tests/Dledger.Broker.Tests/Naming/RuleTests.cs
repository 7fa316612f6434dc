using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Naming;

public sealed class RuleTests
{
    [Theory]
    [InlineData("a", true)]
    [InlineData("A-z_0%|9", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("ä", false)]
    [InlineData("a.b", false)]
    [InlineData("a\n", false)]
    [InlineData("TBW102", false)]
    [InlineData("RMQ_SYS_TRANS_HALF_TOPIC", false)]
    [InlineData("rmq_sys_anything", false)]
    public void Topic_names_follow_the_rules(string name, bool isAllowed) =>
        Assert.Equal(isAllowed, Names.CheckTopic(name) is null);

    [Theory]
    [InlineData("", 127, true)]
    [InlineData("", 128, false)]
    [InlineData("%DLQ%", 255, true)]
    [InlineData("%RETRY%", 255, true)]
    [InlineData("%DLQ%", 256, false)]
    public void Topic_names_have_a_length_limit(string prefix, int length, bool isAllowed) =>
        Assert.Equal(isAllowed, Names.CheckTopic(prefix.PadRight(length, 'a')) is null);

    [Theory]
    [InlineData("g", true)]
    [InlineData("CID_RMQ_SYS_x", false)]
    [InlineData("", false)]
    [InlineData("a/b", false)]
    public void Group_names_follow_the_rules(string name, bool isAllowed) =>
        Assert.Equal(isAllowed, Names.CheckGroup(name) is null);

    [Theory]
    [InlineData(120, true)]
    [InlineData(121, false)]
    public void Group_names_have_a_length_limit(int length, bool isAllowed) =>
        Assert.Equal(isAllowed, Names.CheckGroup(new string('a', length)) is null);

    [Fact]
    public void The_longest_group_has_a_legal_dead_letter_topic() =>
        Assert.Null(Names.CheckTopic(Names.DeadLetterTopic(new string('a', Limits.GroupLengthMax))));

    public static TheoryData<string, MessageDraft, BrokenRule> BrokenDrafts()
    {
        var draft = TestBroker.Draft("m");
        var properties = Enumerable.Range(0, 129).Select(i => KeyValuePair.Create($"k{i}", "v")).ToList();
        return new TheoryData<string, MessageDraft, BrokenRule>
        {
            { "empty body", draft with { Body = default }, BrokenRule.BodyEmpty },
            { "large body", draft with { Body = new byte[Limits.BodyBytesMax + 1] }, BrokenRule.BodyTooLarge },
            { "blank id", draft with { MessageId = " " }, BrokenRule.MessageId },
            { "long id", draft with { MessageId = new string('i', 256) }, BrokenRule.MessageId },
            { "blank tag", draft with { Tag = " " }, BrokenRule.Tag },
            { "tag with bar", draft with { Tag = "a|b" }, BrokenRule.Tag },
            { "tag with control", draft with { Tag = "a\u0001" }, BrokenRule.Tag },
            { "blank key", draft with { Keys = ["a", ""] }, BrokenRule.Key },
            { "key with control", draft with { Keys = ["a\t"] }, BrokenRule.Key },
            { "blank group", draft with { MessageGroup = " " }, BrokenRule.MessageGroup },
            { "long group", draft with { MessageGroup = new string('ä', 32) }, BrokenRule.MessageGroup },
            { "fifo without group", draft with { Type = MessageType.Fifo }, BrokenRule.MessageGroup },
            { "129 properties", draft with { UserProperties = properties }, BrokenRule.PropertiesTooLarge },
            { "reserved key", WithProperty("TAGS", "x"), BrokenRule.PropertyKey },
            { "control in value", WithProperty("a", "\n"), BrokenRule.PropertyKey },
            { "empty property key", WithProperty("", "x"), BrokenRule.PropertyKey },
            {
                "large properties",
                draft with { Tag = "t", UserProperties = [KeyValuePair.Create("a", new string('v', 16_383))] },
                BrokenRule.PropertiesTooLarge
            },
        };
    }

    private static MessageDraft WithProperty(string key, string value) =>
        TestBroker.Draft("m") with { UserProperties = [KeyValuePair.Create(key, value)] };

    [Theory]
    [MemberData(nameof(BrokenDrafts))]
    public async Task A_draft_against_a_rule_is_refused_and_stores_nothing(
        string name, MessageDraft draft, BrokenRule rule)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", 1, MessageTypeSet.Of(MessageType.Normal, MessageType.Fifo));
        var end = broker.Log.End;

        var outcome = await broker.Run(node => node.AppendAsync("t", [draft], CancellationToken.None));

        Assert.True(rule == outcome.Failure?.Rule, $"{name}: {outcome.Failure}");
        Assert.NotEmpty(outcome.Failure!.Value.Detail);
        Assert.Equal(end, broker.Log.End);
    }

    [Fact]
    public async Task The_largest_allowed_message_passes()
    {
        var broker = new TestBroker();
        var draft = TestBroker.Draft("m") with
        {
            Body = new byte[Limits.BodyBytesMax],
            MessageId = new string('i', 255),
            MessageGroup = new string('g', 63),
            UserProperties = [KeyValuePair.Create("a", new string('v', 16_383))],
        };

        var outcome = await broker.Run(node => node.AppendAsync("t", [draft], CancellationToken.None));

        Assert.True(outcome.Succeeded, outcome.Failure?.Detail);
        Assert.Equal(Limits.BodyBytesMax, Assert.Single(await broker.Receive("g", "t")).Body.Length);
    }

    [Fact]
    public async Task System_texts_that_do_not_fit_the_record_are_refused()
    {
        var broker = new TestBroker();
        var draft = TestBroker.Draft("m") with { TraceContext = new string('t', 40_000) };

        var outcome = await broker.Run(node => node.AppendAsync("t", [draft], CancellationToken.None));

        Assert.Equal(BrokenRule.PropertiesTooLarge, outcome.Failure?.Rule);
        Assert.Equal(BrokerError.TooLarge, outcome.Failure?.Error);
    }

    [Fact]
    public async Task A_batch_whose_properties_would_burst_a_frame_is_refused()
    {
        var broker = new TestBroker();
        var heavy = TestBroker.Draft("m") with
        {
            UserProperties = [KeyValuePair.Create("a", new string('v', 16_000))],
        };

        var outcome = await broker.Run(node => node.AppendAsync(
            "t", [.. Enumerable.Repeat(heavy, 400)], CancellationToken.None));

        Assert.Equal(BrokenRule.PropertiesTooLarge, outcome.Failure?.Rule);
    }

    [Fact]
    public async Task Batches_are_limited_by_number_and_size()
    {
        var broker = new TestBroker();
        var half = TestBroker.Draft("m") with { Body = new byte[(Limits.BatchBytesMax / 2) + 1] };

        var empty = await broker.Run(node => node.AppendAsync("t", [], CancellationToken.None));
        var many = await broker.Run(node => node.AppendAsync(
            "t", [.. Enumerable.Repeat(TestBroker.Draft("m"), Limits.BatchCountMax + 1)], CancellationToken.None));
        var large = await broker.Run(node => node.AppendAsync("t", [half, half], CancellationToken.None));

        Assert.Equal(BrokenRule.Batch, empty.Failure?.Rule);
        Assert.Equal(BrokenRule.Batch, many.Failure?.Rule);
        Assert.Equal(BrokenRule.BodyTooLarge, large.Failure?.Rule);
    }

    [Theory]
    [InlineData(0.9, false)]
    [InlineData(1, true)]
    [InlineData(12 * 3600, true)]
    [InlineData((12 * 3600) + 1, false)]
    public async Task The_invisible_duration_of_a_receive_is_limited(double seconds, bool isAllowed)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");

        var outcome = await broker.Run(node => node.ReceiveAsync(
            TestBroker.Request("g", "t", 1, seconds, "*", null), CancellationToken.None));

        Assert.Equal(isAllowed ? null : BrokenRule.InvisibleDuration, outcome.Failure?.Rule);
    }

    [Fact]
    public async Task A_batch_size_below_one_counts_as_one_and_above_32_as_32()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        for (var i = 0; i < 40; i++)
        {
            await broker.Send("t", $"m{i}");
        }

        Assert.Single(await broker.Receive("g", "t", batch: -5));
        Assert.Equal(32, (await broker.Receive("g", "t", batch: 1000)).Count);
    }

    [Fact]
    public void Delivery_times_and_client_properties_have_limits()
    {
        var tooMany = Enumerable.Range(0, 33).Select(i => KeyValuePair.Create($"k{i}", "v")).ToList();
        var now = 1_000_000L;
        var year = 365 * 24L * 3600 * 1_000_000;

        Assert.Null(MessageRules.CheckDeliveryTime(now + year, now));
        Assert.Equal(BrokenRule.DeliveryTime, MessageRules.CheckDeliveryTime(now + year + 1, now)?.Rule);
        Assert.Null(ClientRules.CheckProperties([KeyValuePair.Create("a.b-c_D9", "v")]));
        Assert.NotNull(ClientRules.CheckProperties(tooMany));
        Assert.NotNull(ClientRules.CheckProperties([KeyValuePair.Create("9a", "v")]));
        Assert.NotNull(ClientRules.CheckProperties([KeyValuePair.Create("a b", "v")]));
        Assert.NotNull(ClientRules.CheckProperties([KeyValuePair.Create("a", new string('v', 257))]));
    }

    [Fact]
    public void Options_out_of_range_are_all_named_at_once()
    {
        var problems = new BrokerOptions
        {
            AutoCreateQueueCount = 0,
            DeliveryWindow = 1,
            ParkedReceivesMax = 0,
            CheckpointBytes = 1,
            CheckpointInterval = TimeSpan.Zero,
        }.Validate();

        Assert.Equal(5, problems.Count);
        Assert.Empty(new BrokerOptions().Validate());
    }
}
