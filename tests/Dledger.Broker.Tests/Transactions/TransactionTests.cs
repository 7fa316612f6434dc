using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;
using Dledger.Broker.Transactions;

namespace Dledger.Broker.Tests.Transactions;

public sealed class TransactionTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_half_message_is_invisible_until_its_commit_makes_it_visible_once()
    {
        var broker = await Prepare();
        var id = await Begin(broker, "m");

        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Null(await End(broker, TransactionResolution.Commit, id));

        var message = Assert.Single(await broker.Receive("g", "t"));
        Assert.Equal(("m", "id-m", "tag", MessageType.Transaction),
            (TestBroker.Text(message), message.MessageId, message.Tag, message.Type));
        Assert.Null(await End(broker, TransactionResolution.Commit, id));
        Assert.Empty(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task A_commit_wakes_a_waiting_receiver()
    {
        var broker = await Prepare();
        var id = await Begin(broker, "m");
        var poll = broker.Poll("g", "t");
        Assert.False(poll.IsCompleted);

        Assert.Null(await End(broker, TransactionResolution.Commit, id));

        Assert.Equal("m", TestBroker.Text(Assert.Single((await poll).Messages)));
    }

    [Fact]
    public async Task What_cannot_be_read_of_a_transaction_is_left_out_of_its_description()
    {
        var broker = await Prepare();
        var id = await Begin(broker, "m");
        broker.Log.FailsAt = Assert.Single(broker.Node.Machine.State.Transactions.Open).Parts[0].Position;

        var (content, failure) = await broker.Run(node => node.ShowTransactionAsync(id, None));

        Assert.Null(failure);
        Assert.Equal("t", content!.Transaction.Topic);
        Assert.Empty(content.Messages);
        Assert.Equal(broker.Log.FailsAt, Assert.Single(broker.Log.Unreadable));
    }

    [Fact]
    public async Task A_rolled_back_message_is_never_visible_and_stays_to_be_looked_at()
    {
        var broker = await Prepare();
        var id = await Begin(broker, "m");

        Assert.Null(await End(broker, TransactionResolution.Rollback, id));
        Assert.Null(await End(broker, TransactionResolution.Rollback, id));

        broker.Advance(TimeSpan.FromMinutes(20));
        Assert.Empty(await broker.Receive("g", "t"));
        var (content, failure) = await broker.Run(node => node.ShowTransactionAsync(id, None));
        Assert.Null(failure);
        Assert.Equal(
            (TransactionDecision.RolledBack, TransactionDecider.Producer, "t"),
            (content!.Transaction.Decision, content.Transaction.Decider, content.Transaction.Topic));
        Assert.Equal("m", TestBroker.Text(Assert.Single(content.Messages)));
        Assert.Equal(id, Assert.Single(await List(broker, discarded: true)).TransactionId);
        Assert.Empty(await List(broker, discarded: false));
    }

    [Fact]
    public async Task The_opposite_decision_is_refused_and_says_what_was_decided()
    {
        var broker = await Prepare();
        var committed = await Begin(broker, "c");
        var rolledBack = await Begin(broker, "r");
        await End(broker, TransactionResolution.Commit, committed);
        await End(broker, TransactionResolution.Rollback, rolledBack);

        var first = await End(broker, TransactionResolution.Rollback, committed);
        var second = await End(broker, TransactionResolution.Commit, rolledBack);

        Assert.Equal(BrokerError.InvalidTransaction, first?.Error);
        Assert.Contains("committed already", first?.Detail, StringComparison.Ordinal);
        Assert.Equal(BrokerError.InvalidTransaction, second?.Error);
        Assert.Contains("rolled back already", second?.Detail, StringComparison.Ordinal);
        Assert.Equal("c", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("invented")]
    [InlineData("AQAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task An_id_that_was_never_given_out_is_refused(string id)
    {
        var broker = await Prepare();

        Assert.Equal(BrokerError.InvalidTransaction, (await End(broker, TransactionResolution.Commit, id))?.Error);
    }

    [Fact]
    public async Task A_producer_that_does_not_know_leaves_its_transaction_open()
    {
        var broker = await Prepare();
        var id = await Begin(broker, "m");

        Assert.Null(await End(broker, TransactionResolution.Unknown, id));

        Assert.Equal(id, Assert.Single(await List(broker, discarded: false)).TransactionId);
        Assert.Null(await End(broker, TransactionResolution.Commit, id));
        Assert.Single(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task The_messages_of_a_batch_are_one_transaction_in_their_order()
    {
        var broker = await Prepare();
        var outcome = await Append(broker, "a", "b", "c");
        var id = outcome.Messages[0].TransactionId!;
        Assert.All(outcome.Messages, message => Assert.Equal(id, message.TransactionId));
        Assert.Equal(3, Assert.Single(await List(broker, discarded: false)).MessageCount);

        Assert.Null(await End(broker, TransactionResolution.Commit, id));

        Assert.Equal(["a", "b", "c"], (await broker.Receive("g", "t")).Select(TestBroker.Text));
    }

    [Fact]
    public async Task Several_transactions_of_several_topics_are_committed_together_or_not_at_all()
    {
        var broker = await Prepare();
        await broker.CreateTopic("u", types: MessageTypeSet.Of(MessageType.Transaction));
        var first = await Begin(broker, "a");
        var second = (await Append(broker, "u", None, "b")).Messages[0].TransactionId!;
        var gone = await Begin(broker, "gone");
        await End(broker, TransactionResolution.Rollback, gone);

        var refused = await End(broker, TransactionResolution.Commit, first, second, gone);

        Assert.Equal(BrokerError.InvalidTransaction, refused?.Error);
        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Null(await End(broker, TransactionResolution.Commit, first, second));
        Assert.Equal("a", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
        Assert.Equal("b", TestBroker.Text(Assert.Single(await broker.Receive("g", "u"))));
    }

    [Fact]
    public async Task Two_commits_at_the_same_moment_publish_once()
    {
        var broker = await Prepare();
        var id = await Begin(broker, "m");
        broker.Log.IsHeld = true;
        var first = broker.Start(node => node.EndTransactionsAsync([id], TransactionResolution.Commit, TransactionDecider.Producer, None));
        var second = broker.Start(node => node.EndTransactionsAsync([id], TransactionResolution.Commit, TransactionDecider.Producer, None));

        broker.Log.IsHeld = false;
        broker.Settle();

        Assert.Null(await first);
        Assert.Null(await second);
        Assert.Single(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task Producers_are_asked_after_six_seconds_then_each_half_minute_and_after_fifteen_times_it_is_given_up()
    {
        var broker = await Prepare();
        var checker = new RecordingChecker();
        broker.Node.CheckTransactionsWith(checker);
        var id = await Begin(broker, "m");

        broker.Advance(TimeSpan.FromSeconds(5.5));
        Assert.Empty(checker.Questions);
        broker.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(checker.Questions);
        broker.Advance(TimeSpan.FromSeconds(29));
        Assert.Single(checker.Questions);
        broker.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, checker.Questions.Count);
        broker.Advance(TimeSpan.FromSeconds(30 * 16));

        Assert.Equal(Enumerable.Range(1, 15), checker.Questions.Select(question => question.Check));
        var given = Assert.Single(await List(broker, discarded: true));
        Assert.Equal((id, TransactionDecision.ChecksUsedUp, 15), (given.TransactionId, given.Decision, given.Checks));
        Assert.Empty(await broker.Receive("g", "t"));
        var late = await End(broker, TransactionResolution.Commit, id);
        Assert.Equal(BrokerError.InvalidTransaction, late?.Error);
        Assert.Null(await End(broker, TransactionResolution.Rollback, id));
        var (topic, _) = await broker.Run(node => node.DescribeTopicAsync(Names.DiscardedTransactionTopic, None));
        Assert.Equal(1, topic!.Queues.Sum(queue => queue.Max.Value - queue.Min.Value));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_question_carries_the_whole_message_until_it_is_decided()
    {
        var broker = await Prepare();
        var checker = new RecordingChecker();
        broker.Node.CheckTransactionsWith(checker);
        var id = await Begin(broker, "m");
        broker.Advance(TimeSpan.FromSeconds(7));
        var question = Assert.Single(checker.Questions);

        var undecided = await broker.Run(node => node.ReadUndecidedAsync(question, None));
        await End(broker, TransactionResolution.Commit, id);
        var decided = await broker.Run(node => node.ReadUndecidedAsync(question, None));

        Assert.Equal(id, undecided?.TransactionId);
        Assert.Equal(("m", "id-m", "tag"), (TestBroker.Text(undecided!.Message), undecided.Message.MessageId, undecided.Message.Tag));
        Assert.Null(decided);
    }

    [Fact]
    public async Task The_settings_of_the_topic_and_the_message_move_the_checks()
    {
        var broker = await Prepare();
        var checker = new RecordingChecker();
        broker.Node.CheckTransactionsWith(checker);
        Assert.Null(await broker.Run(node => node.UpdateTopicAsync(
            new TopicChange
            {
                Name = "t",
                FirstCheck = TimeSpan.FromSeconds(2),
                CheckInterval = TimeSpan.FromSeconds(3),
                CheckCountMax = 2,
            },
            None)));
        await Begin(broker, "m");
        var slow = Draft("slow") with { TransactionRecovery = TimeSpan.FromMinutes(1) };
        Assert.True((await broker.Run(node => node.AppendAsync("t", [slow], None))).Succeeded);

        broker.Advance(TimeSpan.FromSeconds(2.5));
        Assert.Single(checker.Questions);
        broker.Advance(TimeSpan.FromSeconds(7));

        Assert.Equal([1, 2], checker.Questions.Select(question => question.Check));
        Assert.Single(await List(broker, discarded: true));
        Assert.Equal("id-slow", Assert.Single(await List(broker, discarded: false)).MessageId);
    }

    [Fact]
    public async Task Everything_survives_a_restart_with_the_same_state()
    {
        var broker = await Prepare();
        var open = await Begin(broker, "open");
        var committed = await Begin(broker, "committed");
        var rolledBack = await Begin(broker, "rolledBack");
        broker.Advance(TimeSpan.FromSeconds(40));
        await End(broker, TransactionResolution.Commit, committed);
        await End(broker, TransactionResolution.Rollback, rolledBack);
        var hash = broker.StateHash;

        broker.Restart();

        Assert.Equal(hash, broker.StateHash);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
        Assert.Equal(2, Assert.Single(await List(broker, discarded: false)).Checks);
        Assert.Null(await End(broker, TransactionResolution.Commit, committed));
        Assert.Equal(
            BrokerError.InvalidTransaction, (await End(broker, TransactionResolution.Commit, rolledBack))?.Error);
        Assert.Null(await End(broker, TransactionResolution.Commit, open));
        Assert.Equal(["committed", "open"], (await broker.Receive("g", "t")).Select(TestBroker.Text));
    }

    [Fact]
    public async Task A_deleted_topic_takes_its_transactions_along()
    {
        var broker = await Prepare();
        var id = await Begin(broker, "m");
        var other = await Begin(broker, "n");
        await End(broker, TransactionResolution.Rollback, other);

        Assert.Null(await broker.Run(node => node.DeleteTopicAsync("t", None)));

        Assert.Empty(await List(broker, discarded: false));
        Assert.Empty(await List(broker, discarded: true));
        Assert.Equal(BrokerError.InvalidTransaction, (await End(broker, TransactionResolution.Commit, id))?.Error);
        broker.Advance(TimeSpan.FromMinutes(10));
    }

    [Fact]
    public async Task A_topic_with_too_many_undecided_messages_refuses_further_ones_until_some_are_decided()
    {
        var broker = await Prepare();
        var bodies = Enumerable.Range(0, 1_000).Select(i => $"{i}").ToArray();
        string? first = null;
        for (var i = 0; i < Limits.HalfMessagesPerTopicMax / 1_000; i++)
        {
            first ??= (await Append(broker, bodies)).Messages[0].TransactionId;
            if (i > 0)
            {
                await Append(broker, bodies);
            }
        }

        var refused = await Append(broker, "one more");
        await End(broker, TransactionResolution.Rollback, first!);

        Assert.Equal(BrokerError.Busy, refused.Failure?.Error);
        Assert.Contains($"{Limits.HalfMessagesPerTopicMax}", refused.Failure?.Detail, StringComparison.Ordinal);
        Assert.True((await Append(broker, "one more")).Succeeded);
    }

    [Fact]
    public async Task Wrong_combinations_are_refused_and_store_nothing()
    {
        var broker = await Prepare();
        await broker.CreateTopic("normal");

        var mixed = await broker.Run(node => node.AppendAsync("t", [Draft("a"), TestBroker.Draft("b")], None));
        var grouped = await broker.Run(node => node.AppendAsync("t", [Draft("a") with { MessageGroup = "x" }], None));
        var wrongTopic = await broker.Run(node => node.AppendAsync("normal", [Draft("a")], None));

        Assert.Equal(BrokenRule.Batch, mixed.Failure?.Rule);
        Assert.Equal(BrokerError.MessageTypeMismatch, grouped.Failure?.Error);
        Assert.Equal(BrokerError.MessageTypeMismatch, wrongTopic.Failure?.Error);
        Assert.Empty(await List(broker, discarded: false));
    }

    [Fact]
    public async Task Commits_that_are_too_large_for_one_frame_together_are_refused_with_the_bound()
    {
        var broker = await Prepare();
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            var large = Draft($"{i}") with { Body = new byte[2 << 20] };
            ids.Add((await broker.Run(node => node.AppendAsync("t", [large], None))).Messages[0].TransactionId!);
        }

        var refused = await End(broker, TransactionResolution.Commit, [.. ids]);

        Assert.Equal(BrokerError.TooLarge, refused?.Error);
        Assert.Contains($"{Limits.BatchRecordBytesMax}", refused?.Detail, StringComparison.Ordinal);
        Assert.Null(await End(broker, TransactionResolution.Commit, ids[0], ids[1]));
        Assert.Equal(2, (await broker.Receive("g", "t")).Count);
    }

    [Theory]
    [InlineData(0.5, 30, 15)]
    [InlineData(6, 3_601, 15)]
    [InlineData(6, 30, 0)]
    [InlineData(6, 30, 101)]
    public async Task Checks_outside_their_bounds_are_refused(double first, double interval, int count)
    {
        var broker = await Prepare();

        var failure = await broker.Run(node => node.UpdateTopicAsync(
            new TopicChange
            {
                Name = "t",
                FirstCheck = TimeSpan.FromSeconds(first),
                CheckInterval = TimeSpan.FromSeconds(interval),
                CheckCountMax = count,
            },
            None));

        Assert.Equal(BrokenRule.TransactionChecks, failure?.Rule);
        Assert.Equal(TransactionChecks.Default, broker.Node.FindTopic("t")!.Settings.Checks);
    }

    [Theory]
    [InlineData("ftp://host/x", "s")]
    [InlineData("http://169.254.169.254/latest", "s")]
    [InlineData("http://[::ffff:169.254.169.254]/latest", "s")]
    [InlineData("http://[fe80::1]/", "s")]
    [InlineData("http://0.0.0.0/", "s")]
    [InlineData("http://user:password@host/", "s")]
    [InlineData("http://host/", "")]
    [InlineData("", "s")]
    public async Task A_webhook_that_must_not_be_asked_is_refused(string url, string secret)
    {
        var broker = await Prepare();

        var failure = await broker.Run(node => node.UpdateTopicAsync(
            new TopicChange { Name = "t", Webhook = new TransactionWebhook(url, secret) }, None));

        Assert.Equal(BrokenRule.Webhook, failure?.Rule);
        Assert.False(broker.Node.FindTopic("t")!.Settings.Webhook.IsSet);
    }

    private static MessageDraft Draft(string body) => TestBroker.Draft(body, "tag") with { Type = MessageType.Transaction };

    private static async Task<TestBroker> Prepare()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", types: MessageTypeSet.Of(MessageType.Normal, MessageType.Transaction));
        return broker;
    }

    private static Task<AppendOutcome> Append(TestBroker broker, params string[] bodies) =>
        Append(broker, "t", None, bodies);

    private static Task<AppendOutcome> Append(
        TestBroker broker, string topic, CancellationToken cancellationToken, params string[] bodies) =>
        broker.Run(node => node.AppendAsync(topic, [.. bodies.Select(Draft)], cancellationToken));

    private static async Task<string> Begin(TestBroker broker, string body)
    {
        var outcome = await Append(broker, body);
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        return Assert.Single(outcome.Messages).TransactionId!;
    }

    private static Task<BrokerFailure?> End(TestBroker broker, TransactionResolution resolution, params string[] ids) =>
        broker.Run(node => node.EndTransactionsAsync(ids, resolution, TransactionDecider.Producer, None));

    private static async Task<IReadOnlyList<TransactionView>> List(TestBroker broker, bool discarded)
    {
        var (transactions, failure) = await broker.Run(node => node.ListTransactionsAsync(
            new TransactionSelection(null, discarded, null, 1_000), None));
        Assert.Null(failure);
        return transactions;
    }

    private sealed class RecordingChecker : ITransactionChecker
    {
        public List<TransactionQuestion> Questions { get; } = [];

        public void Ask(TransactionQuestion question) => Questions.Add(question);
    }
}
