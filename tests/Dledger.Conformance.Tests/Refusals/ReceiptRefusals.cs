using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;

namespace Dledger.Conformance.Tests.Refusals;

/// <summary>Handles that are none, no longer, or another's: each call that takes one refuses it and changes nothing.</summary>
public sealed class ReceiptRefusals(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Theory]
    [InlineData("", "receipt handle")]
    [InlineData("garbage", "receipt handle")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "receipt handle")]
    [InlineData("v1 0 1700000000000 60000 0 0 broker-a 0 1 2", "receipt handle")]
    public async Task A_handle_that_is_none_is_refused(string handle, string word)
    {
        var (topic, group, _) = await DeliverAsync();

        await AssertRefusedAsync(topic, group, topic, group, handle, word);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(25)]
    [InlineData(-2)]
    public async Task A_handle_with_one_character_changed_is_refused(int place)
    {
        var (topic, group, message) = await DeliverAsync();
        var forged = message.SystemProperties.ReceiptHandle.ToCharArray();
        ref var changed = ref forged[place < 0 ? forged.Length + place : place];
        changed = changed == 'A' ? 'B' : 'A';

        await AssertRefusedAsync(topic, group, topic, group, new string(forged), "receipt handle");
    }

    [Fact]
    public async Task The_handle_of_a_delivery_that_has_ended_is_refused()
    {
        var (topic, group, message) = await DeliverAsync(seconds: 1);
        await Client.AwaitMessageAsync(topic, group, TimeSpan.FromSeconds(20));

        await AssertRefusedAsync(topic, group, topic, group, message.SystemProperties.ReceiptHandle, "handle");
    }

    [Fact]
    public async Task The_handle_of_another_group_or_topic_is_refused()
    {
        var (topic, group, message) = await DeliverAsync();
        var otherGroup = await shared.NewGroupAsync();
        var otherTopic = await shared.NewTopicAsync();
        var handle = message.SystemProperties.ReceiptHandle;

        await AssertRefusedAsync(topic, group, topic, otherGroup, handle, "another consumer group or topic");
        await AssertRefusedAsync(topic, group, otherTopic, group, handle, "another consumer group or topic");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData((12 * 3600) + 1)]
    public async Task An_invisible_duration_outside_its_bounds_is_refused_and_the_lease_stays(int seconds)
    {
        var (topic, group, message) = await DeliverAsync();
        var before = await shared.StateAsync(topic, group);

        var response = await Client.ChangeAsync(
            topic, group, message.SystemProperties.ReceiptHandle, TimeSpan.FromSeconds(seconds));

        Assert.Equal(Code.IllegalInvisibleTime, response.Status.Code);
        Assert.Contains("invisible duration", response.Status.Message, StringComparison.Ordinal);
        Assert.Contains("12:00:00", response.Status.Message, StringComparison.Ordinal);
        Assert.Equal(message.SystemProperties.ReceiptHandle, response.ReceiptHandle);
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    [Fact]
    public async Task An_ack_of_more_entries_than_are_allowed_is_refused_as_a_whole()
    {
        var (topic, group, message) = await DeliverAsync();
        var before = await shared.StateAsync(topic, group);

        var response = await Client.AckAsync(
            topic, group, [.. Enumerable.Repeat(message.SystemProperties.ReceiptHandle, 1_025)]);

        Assert.Equal(Code.BadRequest, response.Status.Code);
        Assert.Contains("'entries' has 1025 entries; the limit is 1024", response.Status.Message, StringComparison.Ordinal);
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    private async Task AssertRefusedAsync(
        string topic, string group, string askedTopic, string askedGroup, string handle, string word)
    {
        var before = await shared.StateAsync(topic, group);

        var acked = await Client.AckAsync(askedTopic, askedGroup, handle);
        var changed = await Client.ChangeAsync(askedTopic, askedGroup, handle, TimeSpan.FromSeconds(1));
        var forwarded = await Client.ForwardAsync(askedTopic, askedGroup, handle);

        Assert.All(
            new[] { acked.Status, Assert.Single(acked.Entries).Status, changed.Status, forwarded.Status },
            status =>
            {
                Assert.Equal(Code.InvalidReceiptHandle, status.Code);
                Assert.Contains(word, status.Message, StringComparison.Ordinal);
            });
        Assert.Equal(handle, changed.ReceiptHandle);
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    private async Task<(string Topic, string Group, Message Message)> DeliverAsync(int seconds = 600)
    {
        var (topic, group) = await shared.PrepareAsync(messages: 1);
        var message = Assert.Single(await Client.ReceiveAsync(
            topic, group, request => request.InvisibleDuration = new() { Seconds = seconds }));
        return (topic, group, message);
    }
}
