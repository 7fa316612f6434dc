using Dledger.Broker.Letters;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;

namespace Dledger.Broker.Tests.Priorities;

public sealed class PriorityTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly TestBroker _broker = new();

    [Fact]
    public async Task The_most_urgent_messages_come_first_and_equal_ones_in_the_order_of_their_sends()
    {
        await _broker.CreateTopic("t", 4, MessageTypeSet.Priority);
        foreach (var (body, priority) in new[] { ("a", 0), ("b", 2), ("c", 1), ("d", 3), ("e", 2), ("f", 0) })
        {
            await SendAsync(body, priority);
        }

        var batch = await _broker.Receive("g", "t", batch: 4);
        var rest = await _broker.Receive("g", "t");

        Assert.Equal(["d", "b", "e", "c"], batch.Select(TestBroker.Text));
        Assert.Equal(["a", "f"], rest.Select(TestBroker.Text));
        Assert.Equal([3, 2, 2, 1], batch.Select(message => message.Priority));
    }

    [Fact]
    public async Task A_later_urgent_message_overtakes_what_waits()
    {
        await _broker.CreateTopic("t", 4, MessageTypeSet.Priority);
        await SendAsync("old", 1);
        await SendAsync("older", 1);

        var first = await _broker.Receive("g", "t", batch: 1);
        await SendAsync("urgent", 3);
        var second = await _broker.Receive("g", "t", batch: 1);

        Assert.Equal(["old", "urgent"], [TestBroker.Text(first[0]), TestBroker.Text(second[0])]);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 3)]
    [InlineData(4, 3)]
    [InlineData(int.MaxValue, 3)]
    [InlineData(null, 0)]
    public async Task A_priority_above_the_highest_band_joins_it_and_none_counts_as_0(int? priority, int queueId)
    {
        await _broker.CreateTopic("t", 4, MessageTypeSet.Priority);

        var sent = await SendAsync("m", priority);
        var received = Assert.Single(await _broker.Receive("g", "t"));

        Assert.Equal(queueId, sent.QueueId);
        Assert.Equal(priority, received.Priority);
        Assert.Equal(MessageType.Priority, received.Type);
    }

    [Fact]
    public async Task A_message_that_comes_again_keeps_its_urgency_also_under_another_leader()
    {
        await _broker.CreateTopic("t", 4, MessageTypeSet.Priority);
        await SendAsync("urgent", 3);
        await _broker.Receive("g", "t", invisibleSeconds: 5);
        await SendAsync("plain", 0);

        _broker.Restart(graceful: false);
        _broker.Advance(TimeSpan.FromSeconds(6));
        var again = await _broker.Receive("g", "t");

        Assert.Equal(["urgent", "plain"], again.Select(TestBroker.Text));
        Assert.Equal([2, 1], again.Select(message => message.Attempt));
        Assert.Equal(_broker.ReplayedStateHash(), _broker.Node.Machine.StateHash);
    }

    [Fact]
    public async Task A_repeated_attempt_gets_the_same_messages_in_the_same_order()
    {
        await _broker.CreateTopic("t", 4, MessageTypeSet.Priority);
        await SendAsync("low", 0);
        await SendAsync("high", 3);

        var first = await _broker.Receive("g", "t", attemptId: "one");
        var repeated = await _broker.Receive("g", "t", attemptId: "one");

        Assert.Equal(["high", "low"], first.Select(TestBroker.Text));
        Assert.Equal(["high", "low"], repeated.Select(TestBroker.Text));
    }

    [Fact]
    public async Task A_filter_that_reads_records_takes_the_most_urgent_matches()
    {
        await _broker.CreateTopic("t", 4, MessageTypeSet.Priority);
        for (var i = 0; i < 8; i++)
        {
            await SendAsync($"m{i}", i / 2, i % 2 == 0 ? "even" : "odd");
        }

        var received = await _broker.Receive("g", "t", batch: 2, filter: "SQL TAGS = 'even'");

        Assert.Equal(["m6", "m4"], received.Select(TestBroker.Text));
    }

    [Fact]
    public async Task An_urgent_message_that_is_sent_wakes_a_waiting_receive()
    {
        await _broker.CreateTopic("t", 4, MessageTypeSet.Priority);
        var poll = _broker.Poll("g", "t");

        await SendAsync("m", 3);

        Assert.Equal("m", TestBroker.Text(Assert.Single((await poll).Messages)));
    }

    [Fact]
    public async Task A_dead_letter_that_is_sent_again_is_as_urgent_as_it_was()
    {
        await _broker.CreateTopic("t", 4, MessageTypeSet.Priority);
        await SendAsync("m", 2);
        var delivered = Assert.Single(await _broker.Receive("g", "t"));
        Assert.Null(await _broker.Run(node => node.ForwardToDeadLetterAsync("g", "t", delivered.ReceiptHandle, None)));

        var resent = await _broker.Run(node => node.ResendDeadLettersAsync("g", [new LetterPlace(0, default)], None));
        Assert.Null(Assert.Single(resent.Outcomes));
        var again = Assert.Single(await _broker.Receive("g", "t"));

        Assert.Equal((2, 2), (again.QueueId, again.Priority));
    }

    [Fact]
    public async Task A_topic_gets_more_bands_and_later_messages_use_them()
    {
        await _broker.CreateTopic("t", 2, MessageTypeSet.Priority);
        await SendAsync("before", 5);

        Assert.Null(await _broker.Run(node => node.UpdateTopicAsync(new TopicChange { Name = "t", QueueCount = 8 }, None)));
        await SendAsync("after", 5);

        Assert.Equal(["after", "before"], (await _broker.Receive("g", "t")).Select(TestBroker.Text));
    }

    [Fact]
    public async Task A_negative_priority_names_the_field_and_its_bound_and_stores_nothing()
    {
        await _broker.CreateTopic("t", 4, MessageTypeSet.Priority);

        var outcome = await TrySendAsync(Draft("m", -1));

        Assert.Equal((BrokerError.InvalidArgument, BrokenRule.Priority), (outcome.Failure?.Error, outcome.Failure?.Rule));
        Assert.Contains("'priority' is -1; 0 to 2147483647", outcome.Failure?.Detail, StringComparison.Ordinal);
        Assert.Empty(await _broker.Receive("g", "t"));
    }

    [Theory]
    [InlineData(MessageType.Normal)]
    [InlineData(MessageType.Fifo)]
    [InlineData(MessageType.Delay)]
    [InlineData(MessageType.Transaction)]
    public async Task A_message_of_another_type_has_no_priority(MessageType type)
    {
        await _broker.CreateTopic("t", 4, MessageTypeSet.Of(type));
        var draft = Draft("m", 1) with
        {
            Type = type,
            MessageGroup = type == MessageType.Fifo ? "g" : null,
            DeliverAtMicroseconds = type == MessageType.Delay ? 1 : null,
        };

        Assert.Equal(BrokenRule.MessageTypeConflict, (await TrySendAsync(draft)).Failure?.Rule);
    }

    [Fact]
    public async Task A_priority_topic_takes_no_other_type_and_a_batch_has_one_priority()
    {
        await _broker.CreateTopic("t", 4, MessageTypeSet.Priority);

        var normal = await TrySendAsync(TestBroker.Draft("m"));
        var grouped = await TrySendAsync(Draft("m", 1) with { MessageGroup = "g" });
        var mixed = await TrySendAsync(Draft("a", 1), Draft("b", 2));
        var equal = await TrySendAsync(Draft("a", 3), Draft("b", 9));

        Assert.Equal(BrokerError.MessageTypeMismatch, normal.Failure?.Error);
        Assert.Equal(BrokenRule.MessageTypeConflict, grouped.Failure?.Rule);
        Assert.Equal(BrokenRule.Batch, mixed.Failure?.Rule);
        Assert.True(equal.Succeeded, equal.Failure?.ToString());
    }

    [Theory]
    [InlineData(MessageType.Priority)]
    [InlineData(MessageType.Lite)]
    public async Task A_topic_of_a_type_that_shapes_its_queues_takes_no_second_type(MessageType type)
    {
        var spec = new TopicSpec { Name = "t", AcceptedTypes = MessageTypeSet.Of(type, MessageType.Normal) };

        var failure = await _broker.Run(node => node.CreateTopicAsync(spec, None));

        Assert.Equal(BrokenRule.MessageTypes, failure?.Rule);
        Assert.Null(_broker.Node.FindTopic("t"));
    }

    private static MessageDraft Draft(string body, int? priority, string? tag = null) =>
        TestBroker.Draft(body, tag) with { Type = MessageType.Priority, Priority = priority };

    private async Task<AppendedMessage> SendAsync(string body, int? priority, string? tag = null)
    {
        var outcome = await TrySendAsync(Draft(body, priority, tag));
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        return Assert.Single(outcome.Messages);
    }

    private async Task<AppendOutcome> TrySendAsync(params MessageDraft[] drafts) =>
        await _broker.Run(node => node.AppendAsync("t", drafts, None));
}
