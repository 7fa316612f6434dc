using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Replication.Peers;

namespace Dledger.Replication.Tests.Peers;

public sealed class SendQueueTests
{
    private static readonly Resigning First = new() { From = new NodeId(1), Session = 1, Term = new Term(1) };
    private static readonly Resigning Second = First with { Term = new Term(2) };

    private readonly SendQueue _queue = new();

    [Fact]
    public void What_a_socket_did_not_take_goes_before_all_that_came_meanwhile()
    {
        var rest = new byte[] { 1, 2, 3 };
        Assert.True(_queue.TryClaim());
        Assert.True(_queue.TryAdd(First, []));
        Assert.True(_queue.TryAdd(Second, []));

        _queue.Release(rest);

        var taken = new List<QueuedMessage>();
        Assert.True(_queue.TryTakeAll(ref taken));
        Assert.Equal([null, First, Second], taken.Select(queued => queued.Message));
        Assert.True(rest.AsSpan().SequenceEqual(taken[0].Range[0].Span));
    }

    [Fact]
    public void Nobody_writes_to_the_socket_beside_another()
    {
        Assert.True(_queue.TryClaim());
        Assert.False(_queue.TryClaim());
        _queue.Release(default);
        Assert.True(_queue.TryClaim());
        _queue.Release(default);

        // It waits for the taker, and then the taker sends it.
        Assert.True(_queue.TryAdd(First, []));
        Assert.False(_queue.TryClaim());
        var taken = new List<QueuedMessage>();
        Assert.True(_queue.TryTakeAll(ref taken));
        Assert.False(_queue.TryClaim());
    }

    [Fact]
    public void A_closed_queue_is_not_claimed()
    {
        _queue.Close();

        Assert.False(_queue.TryClaim());
    }
}
