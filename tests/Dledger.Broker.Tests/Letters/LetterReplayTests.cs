using Dledger.Broker.Deduplication;
using Dledger.Broker.Groups;
using Dledger.Broker.Letters;
using Dledger.Broker.Messages;
using Dledger.Broker.Offsets;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;
using Dledger.Primitives;

namespace Dledger.Broker.Tests.Letters;

/// <summary>Dead letters that are sent again to the group that failed, and to no other one.</summary>
public sealed class LetterReplayTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Only_the_group_that_failed_gets_the_message_again_and_only_once()
    {
        var broker = await WithLetters(new GroupSettings { MaxAttempts = 1 }, "a", "b");
        Assert.Equal(2, (await Consume(broker, "other")).Count);

        Assert.Equal([null], await Resend(broker, 1));
        var again = Assert.Single(await broker.Receive("g", "t"));
        var repeated = Assert.Single(await Resend(broker, 1));
        var copied = Assert.Single((await broker.Run(node => node.ResendDeadLettersAsync(
            "g", [new LetterPlace(0, new QueueOffset(1))], None))).Outcomes);

        Assert.Equal(("id-b", 1, 1L), (again.MessageId, again.Attempt, again.QueueOffset.Value));
        Assert.Null(again.DeadLetterOrigin);
        Assert.Empty(await broker.Receive("other", "t"));
        Assert.Equal((BrokerError.AlreadyExists, BrokerError.AlreadyExists), (repeated?.Error, copied?.Error));
        var letters = await broker.Run(node => node.ReadDeadLettersAsync("g", default, 10, None));
        Assert.Equal([false, true], letters.Letters.Select(letter => letter.IsResent));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
        Assert.Null(await broker.Ack("g", "t", again));
        Assert.Empty(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task A_dry_run_says_the_same_and_changes_nothing()
    {
        var broker = await WithLetters(new GroupSettings { MaxAttempts = 1 }, "a");
        var hash = broker.StateHash;

        Assert.Equal([null], await Resend(broker, isDryRun: true, 0));
        Assert.Equal([null], await Resend(broker, isDryRun: true, 0));

        Assert.Equal(hash, broker.StateHash);
        Assert.Empty(await broker.Receive("g", "t"));
        Assert.Equal([null], await Resend(broker, 0));
        Assert.Equal(BrokerError.AlreadyExists, Assert.Single(await Resend(broker, isDryRun: true, 0))?.Error);
    }

    [Fact]
    public async Task A_message_that_fails_again_is_another_letter()
    {
        var broker = await WithLetters(new GroupSettings { MaxAttempts = 1 }, "a");
        await Resend(broker, 0);
        Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));
        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal([null], await Resend(broker, 1));
        Assert.Equal("a", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
    }

    [Fact]
    public async Task In_an_ordered_group_it_comes_before_what_waits_of_its_message_group()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", types: MessageTypeSet.Of(MessageType.Fifo));
        await broker.CreateGroup(new GroupSpec { Name = "g", Fifo = true, Settings = new GroupSettings { MaxAttempts = 1 } });
        await broker.Send("t", "first", group: "a");
        Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));
        broker.Advance(TimeSpan.FromSeconds(6));
        await broker.Send("t", "second", group: "a");

        Assert.Equal([null], await Resend(broker, 0));

        Assert.Equal("first", TestBroker.Text(Assert.Single(await broker.Receive("g", "t", batch: 1))));
        Assert.Empty(await broker.Receive("g", "t", batch: 1));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task Of_a_broadcast_group_only_the_client_that_failed_gets_it_again()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { Broadcast = true, MaxAttempts = 1 } });
        Assert.Empty(await ReceiveAs(broker, "x"));
        Assert.Empty(await ReceiveAs(broker, "y"));
        await broker.Send("t", "a");
        Assert.Single(await ReceiveAs(broker, "x"));
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await ReceiveAs(broker, "y"))));
        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal([null], await Resend(broker, 0));

        Assert.Empty(await ReceiveAs(broker, "y"));
        Assert.Single(await ReceiveAs(broker, "x"));
    }

    [Fact]
    public async Task What_the_group_has_processed_stays_known()
    {
        var dedup = new DedupSettings(DedupSource.MessageId, "", 0, 0);
        var broker = await WithLetters(new GroupSettings { MaxAttempts = 1, Dedup = dedup }, "a");
        await broker.Send("t", "b");
        Assert.Null(await broker.Ack("g", "t", Assert.Single(await broker.Receive("g", "t"))));

        Assert.Equal([null], await Resend(broker, 0));
        await broker.Send("t", "b");

        Assert.Equal(["a"], (await broker.Receive("g", "t")).Select(TestBroker.Text));
    }

    [Fact]
    public async Task Two_operators_at_the_same_time_give_it_back_once()
    {
        var broker = await WithLetters(new GroupSettings { MaxAttempts = 1 }, "a");
        broker.Log.IsHeld = true;
        var one = Start(broker);
        var two = Start(broker);
        broker.Log.IsHeld = false;
        broker.Settle();

        Assert.Null((await one).Outcomes[0]);
        Assert.NotNull((await two).Outcomes[0]);
        Assert.Single(await broker.Receive("g", "t"));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_restart_remembers_that_it_was_given_back(bool graceful)
    {
        var broker = await WithLetters(new GroupSettings { MaxAttempts = 1 }, "a");
        await Resend(broker, 0);

        broker.Restart(graceful);

        Assert.Equal(BrokerError.AlreadyExists, Assert.Single(await Resend(broker, 0))?.Error);
        Assert.Single(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task Without_the_message_the_refusal_says_what_to_do_instead()
    {
        var broker = await WithLetters(new GroupSettings { MaxAttempts = 1 }, "a");
        Assert.Null(await broker.Run(node => node.UpdateTopicAsync(
            new TopicChange { Name = "t", RetentionTime = TimeSpan.FromHours(1) }, None)));
        broker.Advance(TimeSpan.FromHours(3));

        var gone = Assert.Single(await Resend(broker, 0));
        var dry = Assert.Single(await Resend(broker, isDryRun: true, 0));

        Assert.Equal(BrokerError.MessageNotFound, gone?.Error);
        Assert.Contains("given up by retention or a purge: leave --to-group out", gone?.Detail, StringComparison.Ordinal);
        Assert.Equal(gone, dry);
        Assert.Equal([null], (await broker.Run(node => node.ResendDeadLettersAsync("g", [default], None))).Outcomes);
    }

    [Fact]
    public async Task A_message_whose_time_to_live_is_over_a_deleted_topic_and_one_that_waits_again_are_refused()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { Expiry = ExpiryMode.DeadLetter } });
        var draft = TestBroker.Draft("a") with { UserProperties = [KeyValuePair.Create(TimeToLive.Property, "5000")] };
        Assert.True((await broker.Run(node => node.AppendAsync("t", [draft], None))).Succeeded);
        broker.Advance(TimeSpan.FromSeconds(6));
        Assert.Empty(await broker.Receive("g", "t"));
        broker.Settle();

        var old = Assert.Single(await Resend(broker, 0));
        await broker.Run(node => node.SeekAsync(
            new SeekRequest { Group = "g", Topic = "t", Target = SeekTarget.Earliest }, None));
        var waiting = Assert.Single(await Resend(broker, 0));
        await broker.Run(node => node.DeleteTopicAsync("t", None));
        var deleted = Assert.Single(await Resend(broker, 0));

        Assert.Contains("time to live", old?.Detail, StringComparison.Ordinal);
        Assert.Equal((BrokerError.AlreadyExists, BrokerError.GroupNotFound), (waiting?.Error, deleted?.Error));
        Assert.Contains("has the message of the letter again already", waiting?.Detail, StringComparison.Ordinal);
    }

    private static async Task<TestBroker> WithLetters(GroupSettings settings, params string[] bodies)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = settings });
        foreach (var body in bodies)
        {
            await broker.Send("t", body);
            Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));
            broker.Advance(TimeSpan.FromSeconds(6));
        }

        return broker;
    }

    private static async Task<IReadOnlyList<DeliveredMessage>> Consume(TestBroker broker, string group)
    {
        var messages = await broker.Receive(group, "t");
        foreach (var message in messages)
        {
            Assert.Null(await broker.Ack(group, "t", message));
        }

        return messages;
    }

    private static async Task<IReadOnlyList<DeliveredMessage>> ReceiveAs(TestBroker broker, string client) =>
        (await broker.Run(node => node.ReceiveAsync(
            TestBroker.Request("g", "t", 32, 5, "*", null) with { ClientId = client }, None))).Messages;

    private static Task<(IReadOnlyList<BrokerFailure?> Outcomes, BrokerFailure? Failure)> Start(TestBroker broker) =>
        broker.Start(node => node.ResendDeadLettersAsync("g", [default], new LetterResend(ToGroup: true, IsDryRun: false), None));

    private static Task<IReadOnlyList<BrokerFailure?>> Resend(TestBroker broker, params int[] offsets) =>
        Resend(broker, isDryRun: false, offsets);

    private static async Task<IReadOnlyList<BrokerFailure?>> Resend(TestBroker broker, bool isDryRun, params int[] offsets)
    {
        var (outcomes, failure) = await broker.Run(node => node.ResendDeadLettersAsync(
            "g",
            [.. offsets.Select(offset => new LetterPlace(0, new QueueOffset(offset)))],
            new LetterResend(ToGroup: true, isDryRun),
            None));
        Assert.Null(failure);
        return outcomes;
    }
}
