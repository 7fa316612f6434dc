using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Letters;
using Dledger.Broker.Messages;
using Dledger.Broker.Tests.Simulation;
using Dledger.Primitives;

namespace Dledger.Broker.Tests.Letters;

public sealed class LetterTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Letters_are_listed_by_group_and_origin_topic()
    {
        var broker = await WithLetters(3);
        await broker.Send("u", "other");
        await broker.Receive("g", "u", invisibleSeconds: 5);
        broker.Advance(TimeSpan.FromSeconds(6));

        var (letters, failure) = await broker.Run(node => node.ListDeadLettersAsync(null, None));

        Assert.Null(failure);
        Assert.Equal([("g", "t", 3L), ("g", "u", 1L)], letters.Select(each => (each.Group, each.OriginTopic, each.Count)));
        Assert.All(letters, each => Assert.InRange(each.NewestMicroseconds, each.OldestMicroseconds, long.MaxValue));
        Assert.Empty((await broker.Run(node => node.ListDeadLettersAsync("other", None))).Letters);
    }

    [Fact]
    public async Task A_page_shows_where_letters_came_from_and_why()
    {
        var broker = await WithLetters(3);
        await broker.Send("t", "by hand");
        var message = Assert.Single(await broker.Receive("g", "t"));
        await broker.Run(node => node.ForwardToDeadLetterAsync("g", "t", message.ReceiptHandle, None));

        var first = await Page(broker, default, 2);
        var second = await Page(broker, new LetterPlace(first.NextQueueId, first.NextOffset), 10);
        var end = await Page(broker, new LetterPlace(second.NextQueueId, second.NextOffset), 10);

        Assert.Equal(["m0", "m1"], first.Letters.Select(letter => TestBroker.Text(letter.Message)));
        Assert.Equal(
            [("t", 0, 2L, 1, DeadLetterReason.MaxAttempts), ("t", 0, message.QueueOffset.Value, 1, DeadLetterReason.AskedByReceiver)],
            second.Letters.Select(letter => letter.Message.DeadLetterOrigin!.Value).Select(
                origin => (origin.Topic, origin.QueueId, origin.QueueOffset.Value, origin.Attempts, origin.Reason)));
        Assert.Empty(end.Letters);
        Assert.Equal(-1, end.NextQueueId);
    }

    [Fact]
    public async Task A_letter_is_sent_again_once_and_a_repeat_says_so()
    {
        var broker = await WithLetters(2);

        Assert.Null(Assert.Single((await Resend(broker, 1)).Outcomes));
        var repeated = Assert.Single((await Resend(broker, 1)).Outcomes);

        Assert.Equal(BrokerError.AlreadyExists, repeated?.Error);
        var message = Assert.Single(await broker.Receive("g", "t"));
        Assert.Equal(("id-m1", "m1"), (message.MessageId, TestBroker.Text(message)));
        Assert.Null(message.DeadLetterOrigin);
        Assert.Equal([false, true], (await Page(broker, default, 10)).Letters.Select(letter => letter.IsResent));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task Two_operators_at_the_same_time_send_a_letter_once()
    {
        var broker = await WithLetters(1);
        broker.Log.IsHeld = true;
        var one = broker.Start(node => node.ResendDeadLettersAsync("g", [new LetterPlace(0, default)], None));
        var two = broker.Start(node => node.ResendDeadLettersAsync("g", [new LetterPlace(0, default)], None));
        broker.Log.IsHeld = false;
        broker.Settle();

        Assert.Null((await one).Outcomes[0]);
        Assert.Equal(BrokerError.AlreadyExists, (await two).Outcomes[0]?.Error);
        Assert.Single(await broker.Receive("g", "t"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_restart_remembers_what_was_sent_again(bool graceful)
    {
        var broker = await WithLetters(3);
        await Resend(broker, 0, 2);
        var hash = broker.StateHash;

        broker.Restart(graceful);

        Assert.Equal([true, false, true], (await Page(broker, default, 10)).Letters.Select(letter => letter.IsResent));
        Assert.NotEqual(0UL, hash);
        Assert.All((await Resend(broker, 0, 2)).Outcomes, outcome => Assert.Equal(BrokerError.AlreadyExists, outcome?.Error));
    }

    [Fact]
    public async Task A_letter_that_dies_again_is_another_letter()
    {
        var broker = await WithLetters(1);
        await Resend(broker, 0);
        await broker.Receive("g", "t", invisibleSeconds: 5);
        broker.Advance(TimeSpan.FromSeconds(6));

        var letters = (await Page(broker, default, 10)).Letters;

        Assert.Equal([true, false], letters.Select(letter => letter.IsResent));
        Assert.All(letters, letter => Assert.Equal("t", letter.Message.DeadLetterOrigin?.Topic));
    }

    [Fact]
    public async Task A_purge_tells_first_what_it_would_take()
    {
        var broker = await WithLetters(3);
        await Resend(broker, 1);

        Assert.Equal((3, null), await broker.Run(node => node.PurgeDeadLettersAsync("g", isDryRun: true, None)));
        Assert.Equal(3, (await Page(broker, default, 10)).Letters.Count);
        Assert.Equal((3, null), await broker.Run(node => node.PurgeDeadLettersAsync("g", isDryRun: false, None)));

        Assert.Empty((await Page(broker, default, 10)).Letters);
        Assert.Equal(BrokerError.MessageNotFound, (await Resend(broker, 1)).Outcomes[0]?.Error);
        Assert.Equal(0, broker.Node.Machine.State.Resent.Count(broker.Node.FindTopic("%DLQ%g")!.Id, 0));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task What_cannot_be_sent_again_is_refused_and_changes_nothing()
    {
        var broker = await WithLetters(1);
        var hash = broker.StateHash;

        Assert.Equal(BrokerError.MessageNotFound, (await Resend(broker, 9)).Outcomes[0]?.Error);
        Assert.Contains("1 to 100", (await Resend(broker)).Failure?.Detail, StringComparison.Ordinal);
        var none = await broker.Run(node => node.ResendDeadLettersAsync("none", [default], None));
        Assert.Equal(BrokerError.MessageNotFound, none.Failure?.Error);
        Assert.Equal(hash, broker.StateHash);
        await broker.Run(node => node.DeleteTopicAsync("t", None));
        Assert.Equal(BrokerError.TopicNotFound, (await Resend(broker, 0)).Outcomes[0]?.Error);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_set_of_sent_letters_has_one_form_whatever_the_order(int seed)
    {
        var random = new Random(seed);
        var offsets = Enumerable.Range(0, 200).Select(_ => (long)random.Next(100)).ToList();
        var (one, two) = (new ResentLetters(), new ResentLetters());
        var twin = new HashSet<long>();
        Assert.All(offsets, offset => Assert.Equal(twin.Add(offset), one.TryAdd(new LetterReference(1, 0, offset))));
        Assert.All(offsets.Order(), offset => two.TryAdd(new LetterReference(1, 0, offset)));

        Assert.Equal(one.Write().ToArray(), two.Write().ToArray());
        one.ForgetBelow(1, 0, 50);
        var read = new ResentLetters();
        read.Read(one.Write().Span);
        Assert.All(Enumerable.Range(0, 100), offset => Assert.Equal(
            offset >= 50 && twin.Contains(offset), read.Contains(new LetterReference(1, 0, offset))));
    }

    private static async Task<TestBroker> WithLetters(int count)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { MaxAttempts = 1 } });
        for (var n = 0; n < count; n++)
        {
            await broker.Send("t", $"m{n}");
            await broker.Receive("g", "t", invisibleSeconds: 5);
            broker.Advance(TimeSpan.FromSeconds(6));
        }

        return broker;
    }

    private static Task<LetterPage> Page(TestBroker broker, LetterPlace from, int count) =>
        broker.Run(node => node.ReadDeadLettersAsync("g", from, count, None));

    private static Task<(IReadOnlyList<BrokerFailure?> Outcomes, BrokerFailure? Failure)> Resend(
        TestBroker broker, params int[] offsets) => broker.Run(node => node.ResendDeadLettersAsync(
            "g", [.. offsets.Select(offset => new LetterPlace(0, new QueueOffset(offset)))], None));
}
