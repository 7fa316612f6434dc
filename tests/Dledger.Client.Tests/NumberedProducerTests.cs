using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Client.Producing;
using Dledger.Client.Tests.Nodes;

namespace Dledger.Client.Tests;

public sealed class NumberedProducerTests
{
    private static readonly OutgoingMessage Hello = new("greetings", "hello"u8.ToArray());

    [Fact]
    public async Task Sends_are_numbered_one_after_another_for_each_topic()
    {
        await using var node = await ScriptedNode.StartAsync();
        await using var channel = Channel(node.Address);
        var producer = new Producer(channel);

        await producer.SendAsync(Hello);
        await producer.SendAsync([Hello, Hello]);
        await producer.SendAsync(Hello);
        await producer.SendAsync(Hello with { Topic = "other" });

        Assert.Equal(["101/1", "101/2", "101/4", "101/1"], Numbers(node));
    }

    [Fact]
    public async Task A_send_with_an_unknown_outcome_is_repeated_with_the_same_number()
    {
        await using var node = await ScriptedNode.StartAsync();
        Answer(node, Code.SlavePersistenceTimeout, null);
        await using var channel = Channel(node.Address, retries: true);

        await new Producer(channel).SendAsync(Hello);

        Assert.Equal(["101/1", "101/1"], Numbers(node));
    }

    [Fact]
    public async Task A_refused_send_leaves_no_gap()
    {
        await using var node = await ScriptedNode.StartAsync();
        Answer(node, Code.MessageBodyTooLarge, null);
        await using var channel = Channel(node.Address);
        var producer = new Producer(channel);

        await Assert.ThrowsAsync<RequestRefusedException>(() => producer.SendAsync(Hello));
        await producer.SendAsync(Hello);

        Assert.Equal(["101/1", "101/1"], Numbers(node));
    }

    [Fact]
    public async Task After_a_send_with_an_unknown_fate_the_next_one_is_that_of_a_new_producer()
    {
        await using var node = await ScriptedNode.StartAsync();
        Answer(node, Code.SlavePersistenceTimeout, null);
        await using var channel = Channel(node.Address);
        var producer = new Producer(channel);

        await Assert.ThrowsAsync<OutcomeUnknownException>(() => producer.SendAsync(Hello));
        await producer.SendAsync(Hello);

        Assert.Equal(["101/1", "102/1"], Numbers(node));
    }

    [Theory]
    [InlineData(Code.NotFound)]
    [InlineData(Code.PreconditionFailed)]
    public async Task A_forgotten_producer_begins_anew_when_nothing_can_be_stored(Code code)
    {
        await using var node = await ScriptedNode.StartAsync();
        Answer(node, code, null);
        await using var channel = Channel(node.Address);

        await new Producer(channel).SendAsync(Hello);

        Assert.Equal(["101/1", "102/1"], Numbers(node));
    }

    [Theory]
    [InlineData(Code.NotFound)]
    [InlineData(Code.PreconditionFailed)]
    [InlineData(Code.Forbidden)]
    public async Task A_send_that_may_be_stored_is_not_sent_again_by_a_new_producer(Code code)
    {
        await using var node = await ScriptedNode.StartAsync();
        Answer(node, Code.SlavePersistenceTimeout, code, null);
        await using var channel = Channel(node.Address, retries: true);

        await Assert.ThrowsAsync<OutcomeUnknownException>(() => new Producer(channel).SendAsync(Hello));

        Assert.Equal(["101/1", "101/1"], Numbers(node));
    }

    [Fact]
    public async Task A_fenced_producer_is_told_so()
    {
        await using var node = await ScriptedNode.StartAsync();
        Answer(node, Code.Forbidden, null);
        await using var channel = Channel(node.Address);

        var failure = await Assert.ThrowsAsync<RequestRefusedException>(
            () => new Producer(channel, new ProducerOptions { Name = "orders" }).SendAsync(Hello));

        Assert.Equal(nameof(Code.Forbidden), failure.Code);
        Assert.Equal(["orders"], node.Producers.Names);
    }

    [Fact]
    public async Task Where_nodes_do_not_offer_numbers_messages_go_without()
    {
        await using var node = await ScriptedNode.StartAsync(offersNumbers: false);
        await using var channel = Channel(node.Address);

        await new Producer(channel).SendAsync(Hello);

        Assert.Null(Assert.Single(node.Messaging.Headers).GetValue("x-dledger-sequence"));
    }

    [Fact]
    public async Task A_producer_may_be_told_not_to_number()
    {
        await using var node = await ScriptedNode.StartAsync();
        await using var channel = Channel(node.Address);

        await new Producer(channel, new ProducerOptions { IsNumbered = false }).SendAsync(Hello);

        Assert.Empty(node.Producers.Names);
        Assert.Null(Assert.Single(node.Messaging.Headers).GetValue("x-dledger-producer-id"));
    }

    // The codes of the answers in order; null, and from then on: stored.
    private static void Answer(ScriptedNode node, params Code?[] codes)
    {
        var usual = node.Messaging.OnSend;
        node.Messaging.OnSend = request => codes.ElementAtOrDefault(node.Messaging.Requests.Count - 1) is { } code
            ? new SendMessageResponse { Status = new Status { Code = code, Message = "the reason" } }
            : usual(request);
    }

    private static IEnumerable<string> Numbers(ScriptedNode node) => node.Messaging.Headers.Select(headers =>
        $"{headers.GetValue("x-dledger-producer-id")}/{headers.GetValue("x-dledger-sequence")}");

    private static DledgerChannel Channel(string address, bool retries = false) => new(new DledgerChannelOptions
    {
        Addresses = [address],
        RetryTimeout = retries ? TimeSpan.FromSeconds(20) : TimeSpan.Zero,
    });
}
