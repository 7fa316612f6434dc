using Dledger.Replication.Queues;

namespace Dledger.Replication.Tests.Queues;

public sealed class SwapQueueTests
{
    [Fact]
    public async Task Every_item_of_every_producer_arrives_once_and_in_its_producers_order()
    {
        const int producers = 4;
        const int perProducer = 50_000;
        var signal = new WakeSignal();
        var queue = new SwapQueue<(int Producer, int Number)>(signal);
        var next = new int[producers];
        var consumer = Task.Factory.StartNew(
            () =>
            {
                var taken = new List<(int Producer, int Number)>();
                while (next.Sum() < producers * perProducer)
                {
                    if (!queue.TryTakeAll(ref taken))
                    {
                        signal.Wait(-1);
                        continue;
                    }

                    foreach (var (producer, number) in taken)
                    {
                        Assert.Equal(next[producer], number);
                        next[producer]++;
                    }
                }
            },
            TaskCreationOptions.LongRunning);

        await Task.WhenAll(Enumerable.Range(0, producers).Select(producer => Task.Run(() =>
        {
            for (var i = 0; i < perProducer; i++)
            {
                Assert.True(queue.TryAdd((producer, i)));
            }
        })));

        await consumer.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void A_closed_queue_refuses_items_and_gives_back_the_rest()
    {
        var queue = new SwapQueue<int>(new WakeSignal());
        queue.TryAdd(1);

        Assert.Equal([1], queue.Close());
        Assert.False(queue.TryAdd(2));
        Assert.Empty(queue.Close());
    }
}
