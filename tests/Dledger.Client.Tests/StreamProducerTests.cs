using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Client.Producing;
using Dledger.Client.Streaming;
using Dledger.Client.Tests.Nodes;

namespace Dledger.Client.Tests;

/// <summary>What a producer of streams makes of nodes that do not answer, or not in time.</summary>
public sealed class StreamProducerTests
{
    private static readonly OutgoingMessage Hello = new("greetings", "hello"u8.ToArray());
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_topic_that_is_not_opened_in_time_is_opened_over_another_stream()
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Streams.Openings.Enqueue(new ScriptedAnswer(null));
        await using var channel = Channel(node.Address, retryTimeout: Patience);
        await using var producer = new StreamProducer(channel);

        await producer.SendAsync(Hello).WaitAsync(Patience);

        Assert.Equal(1, node.Streams.BatchCount);
    }

    [Fact]
    public async Task A_batch_that_may_be_stored_never_fails_as_one_that_is_not()
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Streams.Answers.Enqueue(new ScriptedAnswer(Code.SlavePersistenceTimeout));
        node.Streams.Answers.Enqueue(new ScriptedAnswer(Code.HaNotAvailable, IsForEver: true));
        await using var channel = Channel(node.Address, retryTimeout: TimeSpan.FromMilliseconds(600));
        await using var producer = new StreamProducer(channel);

        await Assert.ThrowsAsync<OutcomeUnknownException>(() => producer.SendAsync(Hello).WaitAsync(Patience));

        Assert.InRange(node.Streams.BatchCount, 2, int.MaxValue);
    }

    [Fact]
    public async Task What_follows_a_batch_that_was_given_up_before_its_topic_opened_again_is_that_of_a_new_producer()
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Streams.Openings.Enqueue(new ScriptedAnswer(Code.Ok));
        node.Streams.Openings.Enqueue(new ScriptedAnswer(Code.HaNotAvailable, IsForEver: true));
        node.Streams.Answers.Enqueue(new ScriptedAnswer(null));
        await using var channel = Channel(node.Address, retryTimeout: TimeSpan.FromMilliseconds(900));
        await using var producer = new StreamProducer(channel);
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => producer.SendAsync(Hello).WaitAsync(Patience));

        node.Streams.Openings.Clear();
        await producer.SendAsync(Hello).WaitAsync(Patience);

        Assert.Equal(2, node.Producers.Names.Count);
    }

    private static DledgerChannel Channel(string address, TimeSpan retryTimeout) => new(new DledgerChannelOptions
    {
        Addresses = [address],
        RequestTimeout = TimeSpan.FromMilliseconds(200),
        RetryTimeout = retryTimeout,
    });
}
