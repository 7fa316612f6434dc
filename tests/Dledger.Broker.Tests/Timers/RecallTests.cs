using Dledger.Broker.Messages;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Timers;
using static System.Threading.CancellationToken;

namespace Dledger.Broker.Tests.Timers;

public sealed class RecallTests
{
    private static readonly MessageTypeSet Delayed = MessageTypeSet.Of(MessageType.Normal, MessageType.Delay);

    [Fact]
    public async Task A_recalled_message_is_never_delivered_and_the_answer_names_it()
    {
        var broker = await Make();
        var sent = await broker.SendDelayed("orders", "a", TimeSpan.FromSeconds(3));

        var outcome = await Recall(broker, sent.RecallHandle!);
        broker.Advance(TimeSpan.FromSeconds(4));

        Assert.Null(outcome.Failure);
        Assert.Equal("id-a", outcome.MessageId);
        Assert.Empty(await broker.Receive("g", "orders"));
    }

    [Fact]
    public async Task What_was_delivered_or_recalled_cannot_be_recalled()
    {
        var broker = await Make();
        var delivered = await broker.SendDelayed("orders", "a", TimeSpan.FromSeconds(1));
        broker.Advance(TimeSpan.FromSeconds(2));
        var recalled = await broker.SendDelayed("orders", "b", TimeSpan.FromSeconds(1));
        await Recall(broker, recalled.RecallHandle!);

        Assert.Equal(BrokerError.MessageNotFound, (await Recall(broker, delivered.RecallHandle!)).Failure?.Error);
        Assert.Equal(BrokerError.MessageNotFound, (await Recall(broker, recalled.RecallHandle!)).Failure?.Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("AQEAAQAAAGQAAAAAAAAAQAAAAAAAAACHvJk1iUCz0m1v4dFpZC1h")]
    [InlineData("ünïcode")]
    public async Task A_handle_that_this_cluster_never_gave_out_is_refused(string handle)
    {
        var broker = await Make();

        Assert.Equal(BrokerError.InvalidArgument, (await Recall(broker, handle)).Failure?.Error);
    }

    [Fact]
    public async Task A_handle_is_good_for_its_own_topic_only_and_where_delayed_messages_are_accepted()
    {
        var broker = await Make();
        await broker.CreateTopic("other", types: Delayed);
        await broker.CreateTopic("normal");
        var sent = await broker.SendDelayed("orders", "a", TimeSpan.FromSeconds(3));

        var other = await broker.Run(node => node.RecallAsync("other", sent.RecallHandle!, None));
        var normal = await broker.Run(node => node.RecallAsync("normal", sent.RecallHandle!, None));
        var none = await broker.Run(node => node.RecallAsync("none", sent.RecallHandle!, None));

        Assert.Equal(BrokerError.InvalidArgument, other.Failure?.Error);
        Assert.Equal(BrokerError.MessageTypeMismatch, normal.Failure?.Error);
        Assert.Equal(BrokerError.TopicNotFound, none.Failure?.Error);
        Assert.Equal(1, broker.Node.Machine.PendingCount);
    }

    [Fact]
    public void The_text_of_a_handle_is_frozen()
    {
        var codec = new RecallCodec(new Guid("11111111-2222-3333-4444-555555555555"));
        var handle = new RecallHandle(1, 2, new TimerKey(3, 4), "id");

        var text = codec.Encode(handle);

        Assert.Equal("AQEAAgAAAAMAAAAAAAAABAAAAAAAAADpH_5XLTYpTQNx38VpZA", text);
        Assert.True(codec.TryDecode(text, out var again));
        Assert.Equal(handle, again);
        Assert.False(new RecallCodec(Guid.Empty).TryDecode(text, out _));
    }

    private static async Task<TestBroker> Make()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("orders", types: Delayed);
        return broker;
    }

    private static Task<RecallOutcome> Recall(TestBroker broker, string handle) =>
        broker.Run(node => node.RecallAsync("orders", handle, None));
}
