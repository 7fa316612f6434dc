using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;

namespace Dledger.Broker.Tests.Offsets;

public sealed class OffsetTests
{
    [Fact]
    public async Task A_group_has_no_offset_before_it_reads_and_the_prefix_that_it_finished_afterwards()
    {
        var broker = await SeekTests.WithMessages(3);
        var before = await broker.Run(node => node.GetOffsetAsync("g", "t", 0, CancellationToken.None));

        var messages = await broker.Receive("g", "t");
        Assert.Null(await broker.Ack("g", "t", messages[0]));

        Assert.Equal(BrokerError.OffsetNotFound, before.Failure?.Error);
        Assert.Equal(
            new OffsetAnswer(null, 1), await broker.Run(node => node.GetOffsetAsync("g", "t", 0, CancellationToken.None)));
    }

    [Fact]
    public async Task An_offset_set_ahead_finishes_what_lies_before_and_leaves_alone_what_was_begun_behind()
    {
        var broker = await SeekTests.WithMessages(6);
        var held = await broker.Receive("g", "t", batch: 4);

        Assert.Null(await broker.Run(node => node.UpdateOffsetAsync("g", "t", 0, 2, CancellationToken.None)));

        Assert.Equal(2, (await broker.Run(node => node.GetOffsetAsync("g", "t", 0, CancellationToken.None))).Offset);
        Assert.Null(await broker.Ack("g", "t", held[2]));
        Assert.Equal(3, (await broker.Run(node => node.GetOffsetAsync("g", "t", 0, CancellationToken.None))).Offset);
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task An_offset_set_back_is_a_seek()
    {
        var broker = await SeekTests.WithMessages(3);
        Assert.Null(await broker.Run(node => node.UpdateOffsetAsync("g", "t", 0, 3, CancellationToken.None)));
        Assert.Empty(await broker.Receive("g", "t"));

        Assert.Null(await broker.Run(node => node.UpdateOffsetAsync("g", "t", 0, 1, CancellationToken.None)));

        Assert.Equal([1L, 2], (await broker.Receive("g", "t")).Select(message => message.QueueOffset.Value));
    }

    [Theory]
    [InlineData(-1L)]
    [InlineData(4L)]
    public async Task An_offset_outside_of_the_queue_cannot_be_set(long offset)
    {
        var broker = await SeekTests.WithMessages(3);
        var hash = broker.StateHash;

        var failure = await broker.Run(node => node.UpdateOffsetAsync("g", "t", 0, offset, CancellationToken.None));

        Assert.Equal(BrokenRule.Offset, failure?.Rule);
        Assert.Contains("0 to 3", failure?.Detail, StringComparison.Ordinal);
        Assert.Equal(hash, broker.StateHash);
    }

    [Fact]
    public async Task Places_of_a_queue_have_offsets()
    {
        var broker = await SeekTests.WithMessages(2);
        broker.Advance(TimeSpan.FromSeconds(1));
        var later = await broker.Send("t", "later");

        Assert.Equal(0, await Query(SeekTarget.Earliest));
        Assert.Equal(3, await Query(SeekTarget.Latest));
        Assert.Equal(2, await Query(SeekTarget.Time(later.StoreTimeMicroseconds)));
        Assert.Equal(3, await Query(SeekTarget.Time(later.StoreTimeMicroseconds + 1)));

        async Task<long> Query(SeekTarget place)
        {
            var answer = await broker.Run(node => node.QueryOffsetAsync("t", 0, place, CancellationToken.None));
            Assert.Null(answer.Failure);
            return answer.Offset;
        }
    }

    [Fact]
    public async Task A_queue_that_the_topic_does_not_have_is_named_with_the_bound()
    {
        var broker = await SeekTests.WithMessages(1, queues: 4);

        var answer = await broker.Run(
            node => node.QueryOffsetAsync("t", 4, SeekTarget.Latest, CancellationToken.None));

        Assert.Equal(BrokenRule.QueueId, answer.Failure?.Rule);
        Assert.Contains("0 to 3", answer.Failure?.Detail, StringComparison.Ordinal);
    }
}
