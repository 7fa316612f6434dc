using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

public sealed class DelayTests(SharedNode shared) : IClassFixture<SharedNode>
{
    [Fact]
    public async Task A_past_delivery_time_delivers_at_once()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Delay);
        var group = await shared.NewGroupAsync();

        var sent = await shared.Client.SendAsync(Delayed(topic, -60));
        var received = Assert.Single(await shared.Client.ReceiveAsync(topic, group));

        Assert.Equal(Code.Ok, sent.Status.Code);
        Assert.Equal(MessageType.Delay, received.SystemProperties.MessageType);
        Assert.NotNull(received.SystemProperties.DeliveryTimestamp);
    }

    [Fact]
    public async Task A_delayed_message_is_delivered_at_its_time_and_bears_it()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Delay);
        var group = await shared.NewGroupAsync();
        var message = Delayed(topic, 2);
        var due = message.SystemProperties.DeliveryTimestamp.ToDateTime();

        var sent = await shared.Client.SendAsync(message);
        var received = Assert.Single(await shared.Client.ReceiveAsync(topic, group));
        var receivedAt = DateTime.UtcNow;

        Assert.Equal(Code.Ok, sent.Status.Code);
        Assert.NotEmpty(Assert.Single(sent.Entries).RecallHandle);
        Assert.True(receivedAt >= due, $"delivered {due - receivedAt} too early");
        Assert.True(received.SystemProperties.StoreTimestamp.ToDateTime() >= due);

        // Microseconds are kept.
        Assert.True((received.SystemProperties.DeliveryTimestamp.ToDateTime() - due).Duration() < TimeSpan.FromMilliseconds(0.01));
    }

    [Fact]
    public async Task A_recalled_message_is_not_delivered_and_cannot_be_recalled_again()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Delay);
        var group = await shared.NewGroupAsync();
        var sent = Assert.Single((await shared.Client.SendAsync(Delayed(topic, 1))).Entries);

        var recalled = await RecallAsync(topic, sent.RecallHandle);
        var again = await RecallAsync(topic, sent.RecallHandle);
        var received = await shared.Client.ReceiveAsync(
            topic, group, request => request.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)));

        Assert.Equal((Code.Ok, sent.MessageId), (recalled.Status.Code, recalled.MessageId));
        Assert.Equal(Code.NotFound, again.Status.Code);
        Assert.Empty(received);
    }

    [Fact]
    public async Task A_bad_recall_is_refused_with_the_code_of_what_is_wrong()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Delay);
        var normal = await shared.NewTopicAsync();

        Assert.Equal(Code.BadRequest, (await RecallAsync(topic, "nonsense")).Status.Code);
        Assert.Equal(Code.MessagePropertyConflictWithType, (await RecallAsync(normal, "nonsense")).Status.Code);
        Assert.Equal(Code.TopicNotFound, (await RecallAsync("missing", "nonsense")).Status.Code);
        Assert.Equal(Code.IllegalTopic, (await RecallAsync("a b", "nonsense")).Status.Code);
    }

    [Fact]
    public async Task Operators_list_move_and_cancel_what_waits()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Delay);
        var timers = shared.Client.Timers;
        var options = shared.Client.Options();
        foreach (var key in new[] { "a", "b", "a" })
        {
            await shared.Client.SendAsync(Delayed(topic, 3_600, message => message.SystemProperties.Keys.Add(key)));
        }

        var byKey = new TimerSelection { Topic = topic, MessageKey = "a" };
        var listed = await timers.ListTimersAsync(new ListTimersRequest { Selection = byKey }, options);
        var later = Timestamp.FromDateTime(DateTime.UtcNow.AddHours(5));
        var moved = await timers.MoveTimersAsync(new MoveTimersRequest { Selection = byKey, DeliverAt = later }, options);
        var cancelled = await timers.CancelTimersAsync(
            new CancelTimersRequest { Selection = new TimerSelection { Topic = topic, From = Timestamp.FromDateTime(DateTime.UtcNow.AddHours(4)) } },
            options);
        var left = await timers.ListTimersAsync(
            new ListTimersRequest { Selection = new TimerSelection { Topic = topic } }, options);

        Assert.Equal((AdminCode.AdminOk, 2, 3L), (listed.Status.Code, listed.Timers.Count, listed.PendingCount));
        Assert.Equal(2, moved.ChangedCount);
        Assert.Equal(2, cancelled.ChangedCount);
        Assert.Equal(["b"], Assert.Single(left.Timers).Keys);
    }

    [Fact]
    public async Task Bad_questions_of_operators_are_refused()
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Delay);
        var timers = shared.Client.Timers;
        var options = shared.Client.Options();
        var selection = new TimerSelection { Topic = topic };

        Assert.Equal(AdminCode.AdminNotFound, (await timers.ListTimersAsync(
            new ListTimersRequest { Selection = new TimerSelection { Topic = "missing" } }, options)).Status.Code);
        Assert.Equal(AdminCode.AdminInvalidArgument, (await timers.ListTimersAsync(new ListTimersRequest(), options)).Status.Code);
        Assert.Equal(AdminCode.AdminInvalidArgument, (await timers.ListTimersAsync(
            new ListTimersRequest { Selection = selection, PageSize = 5_000 }, options)).Status.Code);
        Assert.Equal(AdminCode.AdminInvalidArgument, (await timers.ListTimersAsync(
            new ListTimersRequest { Selection = selection, Page = "x" }, options)).Status.Code);
        Assert.Equal(AdminCode.AdminInvalidArgument, (await timers.MoveTimersAsync(
            new MoveTimersRequest { Selection = selection }, options)).Status.Code);
        Assert.Equal(AdminCode.AdminInvalidArgument, (await timers.MoveTimersAsync(
            new MoveTimersRequest { Selection = selection, DeliverAt = Timestamp.FromDateTime(DateTime.UtcNow.AddDays(366)) },
            options)).Status.Code);
    }

    private Message Delayed(string topic, double seconds, Action<Message>? change = null) =>
        shared.Client.Message(topic, change: message =>
        {
            message.SystemProperties.MessageType = MessageType.Delay;
            message.SystemProperties.DeliveryTimestamp = Timestamp.FromDateTime(DateTime.UtcNow.AddSeconds(seconds));
            change?.Invoke(message);
        });

    private async Task<RecallMessageResponse> RecallAsync(string topic, string handle) =>
        await shared.Client.Messaging.RecallMessageAsync(
            new RecallMessageRequest { Topic = TestClient.Resource(topic), RecallHandle = handle }, shared.Client.Options());
}
