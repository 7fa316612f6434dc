using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.DeadLetters;

public sealed class DeadLetterTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task After_its_last_attempt_a_message_moves_to_the_dead_letter_topic_exactly_once()
    {
        var broker = await Prepare(maxAttempts: 3);
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            Assert.Equal(attempt, Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5)).Attempt);
            broker.Advance(TimeSpan.FromSeconds(6));
        }

        Assert.Empty(await broker.Receive("g", "t"));
        var dead = Assert.Single(await broker.Receive("watch", "%DLQ%g"));
        Assert.Equal("m", TestBroker.Text(dead));
        Assert.Equal(
            ("t", "id-m", 0, 0L, 3, DeadLetterReason.MaxAttempts),
            Facts(dead.DeadLetterOrigin!.Value));
        Assert.True(dead.DeadLetterOrigin.Value.StoredAtMicroseconds < dead.StoreTimeMicroseconds);
        Assert.Equal(("id-m", "tag", 1), (dead.MessageId, dead.Tag, dead.Attempt));
        Assert.Equal(0, (await broker.Run(node => node.DescribeGroupAsync("g", None))).Group!.Queues.Sum(queue => queue.Lag));
    }

    [Fact]
    public async Task A_receiver_may_give_a_message_up_and_a_repeat_makes_no_second_copy()
    {
        var broker = await Prepare(maxAttempts: 17);
        var message = Assert.Single(await broker.Receive("g", "t"));

        Assert.Null(await broker.Run(node => node.ForwardToDeadLetterAsync("g", "t", message.ReceiptHandle, None)));
        Assert.Null(await broker.Run(node => node.ForwardToDeadLetterAsync("g", "t", message.ReceiptHandle, None)));

        Assert.Single(await broker.Receive("watch", "%DLQ%g"));
        Assert.Empty(await broker.Receive("g", "t"));
    }

    [Fact]
    public async Task A_stale_handle_does_not_move_the_message()
    {
        var broker = await Prepare(maxAttempts: 17);
        var message = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));
        broker.Advance(TimeSpan.FromSeconds(6));

        var failure = await broker.Run(node => node.ForwardToDeadLetterAsync("g", "t", message.ReceiptHandle, None));

        Assert.Equal(BrokerError.InvalidHandle, failure?.Error);
        Assert.Null(broker.Node.FindTopic("%DLQ%g"));
        Assert.Single(await broker.Receive("g", "t"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_copy_of_a_record_that_cannot_be_read_is_made_once_it_is_mended(bool isDiskError)
    {
        var broker = await Prepare(maxAttempts: 1);
        var message = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 5));
        broker.Log.DamagedAt = isDiskError ? null : message.Position;
        broker.Log.FailsAt = isDiskError ? message.Position : null;
        broker.Advance(TimeSpan.FromSeconds(6));
        Assert.Empty(await broker.Receive("watch", "%DLQ%g"));
        Assert.Equal(message.Position, broker.Log.Unreadable[0]);

        broker.Log.DamagedAt = null;
        broker.Log.FailsAt = null;
        broker.Advance(TimeSpan.FromSeconds(6));

        Assert.Single(await broker.Receive("watch", "%DLQ%g"));
    }

    [Fact]
    public async Task A_copy_owed_by_a_fallen_leader_is_made_by_the_next_one()
    {
        var broker = await Prepare(maxAttempts: 1);
        await broker.Receive("g", "t", invisibleSeconds: 5);
        broker.Log.LoseLeadership();
        broker.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(broker.Node.FindTopic("%DLQ%g"));

        broker.Log.Lead();
        broker.Settle();

        Assert.Single(await broker.Receive("watch", "%DLQ%g"));
    }

    [Fact]
    public async Task A_copy_owed_before_a_restart_is_made_after_it()
    {
        var broker = await Prepare(maxAttempts: 1);
        await broker.Receive("g", "t", invisibleSeconds: 5);
        broker.Log.LoseLeadership();
        broker.Time.Advance(TimeSpan.FromSeconds(10));
        broker.Restart();
        broker.Restart();
        broker.Settle();

        Assert.Single(await broker.Receive("watch", "%DLQ%g"));
        Assert.Empty(await broker.Receive("watch", "%DLQ%g"));
    }

    [Fact]
    public async Task Many_messages_out_of_attempts_all_arrive_once()
    {
        var broker = await Prepare(maxAttempts: 1);
        for (var i = 0; i < 99; i++)
        {
            await broker.Send("t", $"n{i}");
        }

        for (var i = 0; i < 4; i++)
        {
            await broker.Receive("g", "t", invisibleSeconds: 5);
        }

        broker.Advance(TimeSpan.FromSeconds(6));

        var texts = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            texts.AddRange((await broker.Receive("watch", "%DLQ%g")).Select(TestBroker.Text));
        }

        Assert.Equal(100, texts.Count);
        Assert.Equal(100, texts.Distinct().Count());
    }

    [Fact]
    public async Task A_dead_letter_that_dies_again_keeps_its_first_origin_and_says_why_it_died_last()
    {
        var broker = await Prepare(maxAttempts: 1);
        await broker.Receive("g", "t", invisibleSeconds: 5);
        broker.Advance(TimeSpan.FromSeconds(6));
        var dead = Assert.Single(await broker.Receive("h", "%DLQ%g"));

        await broker.Run(node => node.ForwardToDeadLetterAsync("h", "%DLQ%g", dead.ReceiptHandle, None));

        var deader = Assert.Single(await broker.Receive("watch", "%DLQ%h"));
        Assert.Equal(("t", "id-m", 0, 0L, 1, DeadLetterReason.AskedByReceiver), Facts(deader.DeadLetterOrigin!.Value));
    }

    [Fact]
    public async Task Each_topic_has_a_queue_of_its_own_among_the_dead_letters_of_a_group()
    {
        var broker = await Prepare(maxAttempts: 1);
        await broker.CreateTopic("u");
        await broker.Send("u", "second");
        var asked = Assert.Single(await broker.Receive("g", "u", invisibleSeconds: 600));
        Assert.Null(await broker.Run(node => node.ForwardToDeadLetterAsync("g", "u", asked.ReceiptHandle, None)));
        await broker.Receive("g", "t", invisibleSeconds: 5);
        broker.Advance(TimeSpan.FromSeconds(6));
        broker.Restart(graceful: true);
        await broker.Send("u", "third");
        asked = Assert.Single(await broker.Receive("g", "u", invisibleSeconds: 600));
        Assert.Null(await broker.Run(node => node.ForwardToDeadLetterAsync("g", "u", asked.ReceiptHandle, None)));

        Assert.Equal(2, broker.Node.FindTopic("%DLQ%g")!.QueueCount);
        var dead = (await broker.Receive("watch", "%DLQ%g"))
            .OrderBy(message => (message.QueueId, message.QueueOffset.Value))
            .Select(message => (TestBroker.Text(message), message.QueueId, message.DeadLetterOrigin!.Value.Reason));
        Assert.Equal(
            [
                ("second", 0, DeadLetterReason.AskedByReceiver),
                ("third", 0, DeadLetterReason.AskedByReceiver),
                ("m", 1, DeadLetterReason.MaxAttempts),
            ],
            dead);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    private static (string Topic, string Id, int Queue, long Offset, int Attempts, DeadLetterReason Reason) Facts(
        DeadLetterOrigin origin) =>
        (origin.Topic, origin.MessageId, origin.QueueId, origin.QueueOffset.Value, origin.Attempts, origin.Reason);

    [Fact]
    public async Task A_refused_copy_is_tried_again()
    {
        var broker = await Prepare(maxAttempts: 1);
        await broker.Receive("g", "t", invisibleSeconds: 5);
        broker.Log.IsHeld = true;
        broker.Time.Advance(TimeSpan.FromSeconds(6));
        broker.Log.IsHeld = false;
        broker.Log.Step();
        broker.Log.IsBusy = true;
        broker.Log.Step();
        broker.Log.IsBusy = false;
        broker.Advance(TimeSpan.FromSeconds(1));

        Assert.Single(await broker.Receive("watch", "%DLQ%g"));
    }

    private static async Task<TestBroker> Prepare(int maxAttempts)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 1);
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { MaxAttempts = maxAttempts } });
        await broker.Send("t", "m", "tag");
        return broker;
    }
}
