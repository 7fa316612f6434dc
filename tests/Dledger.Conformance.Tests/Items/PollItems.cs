using System.Diagnostics;
using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;

namespace Dledger.Conformance.Tests.Items;

public sealed class PollItems(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Fact]
    public async Task Item_37_an_empty_poll_lasts_its_time_and_says_that_nothing_came()
    {
        var (frames, elapsed) = await PollAsync(3, TimeSpan.FromSeconds(30));

        Assert.InRange(elapsed, TimeSpan.FromSeconds(2.9), TimeSpan.FromSeconds(8));
        Assert.Equal(
            [ReceiveMessageResponse.ContentOneofCase.Status, ReceiveMessageResponse.ContentOneofCase.DeliveryTimestamp],
            frames.Select(frame => frame.ContentCase));
        Assert.Equal(Code.MessageNotFound, frames[0].Status.Code);
    }

    [Fact]
    public async Task Item_40_a_waiting_poll_is_woken_by_a_message_on_any_queue()
    {
        var topic = await shared.NewTopicAsync(3);
        var group = await shared.NewGroupAsync();
        for (var count = 0; count < 3; count++)
        {
            var waiting = Client.ReceiveAsync(topic, group, r => r.LongPollingTimeout = new() { Seconds = 20 });
            await Client.HeartbeatAsync();
            await Client.SendAsync(Client.Message(topic, $"{count}"));
            var clock = Stopwatch.StartNew();

            var received = Assert.Single(await waiting);

            Assert.Equal($"{count}", received.Body());
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(3));
        }
    }

    private Task<(IReadOnlyList<ReceiveMessageResponse> Frames, TimeSpan Elapsed)> PollAsync(
        int? seconds, TimeSpan deadline) => LongPolls.PollAsync(shared, seconds, deadline);
}

/// <summary>In a class of its own, because it takes long.</summary>
public sealed class LongPollItem(SharedNode shared) : IClassFixture<SharedNode>
{
    [Fact]
    public async Task Item_38_a_poll_of_40_s_is_answered_within_about_20_s()
    {
        var (frames, elapsed) = await LongPolls.PollAsync(shared, 40, TimeSpan.FromSeconds(40));

        Assert.InRange(elapsed, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(23));
        Assert.Equal(Code.MessageNotFound, frames[0].Status.Code);
    }
}

/// <summary>In a class of its own, because it takes long.</summary>
public sealed class TimelessPollItem(SharedNode shared) : IClassFixture<SharedNode>
{
    [Fact]
    public async Task Item_39_a_poll_without_a_time_is_answered_before_its_deadline_and_not_at_once()
    {
        var (frames, elapsed) = await LongPolls.PollAsync(shared, null, TimeSpan.FromSeconds(23));

        Assert.InRange(elapsed, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(22.9));
        Assert.Equal(Code.MessageNotFound, frames[0].Status.Code);
    }
}

internal static class LongPolls
{
    /// <summary>A poll of an empty topic: its frames, and how long it took.</summary>
    public static async Task<(IReadOnlyList<ReceiveMessageResponse> Frames, TimeSpan Elapsed)> PollAsync(
        SharedNode shared, int? seconds, TimeSpan deadline)
    {
        var (topic, group) = await shared.PrepareAsync(messages: 0);
        var clock = Stopwatch.StartNew();
        var frames = await shared.Client.ReceiveFramesAsync(
            shared.Client.ReceiveRequest(
                topic, group, request => request.LongPollingTimeout = seconds is { } given ? new() { Seconds = given } : null),
            deadline);
        return (frames, clock.Elapsed);
    }
}
