using Dledger.Bench.Targets;
using Dledger.Client.Streaming;

namespace Dledger.Bench.Clusters;

/// <summary>Reads all queues of a topic without a group, each over a stream of its own.</summary>
internal sealed class StreamBenchReader(IReadOnlyList<QueueReader> queues) : IBenchConsumer
{
    private readonly CancellationTokenSource _closing = new();
    private readonly Task<StreamDelivery>?[] _pending = new Task<StreamDelivery>?[queues.Count];
    private int _next;

    public async Task<IBenchDelivery> ReceiveAsync(int countMax, TimeSpan wait, CancellationToken cancellationToken)
    {
        for (var i = 0; i < queues.Count; i++)
        {
            _pending[i] ??= queues[i].ReadAsync(_closing.Token);
        }

        if (!Array.Exists(_pending, task => task!.IsCompleted)
            && !await StreamWait.EndsAsync(Task.WhenAny(_pending!), wait, cancellationToken))
        {
            return StreamBenchDelivery.None;
        }

        // In turn, so that a queue whose messages are always there does not hold up the others.
        do
        {
            _next = (_next + 1) % queues.Count;
        }
        while (!_pending[_next]!.IsCompleted);
        var delivery = _pending[_next]!;
        _pending[_next] = null;
        return new StreamBenchDelivery(null, await delivery);
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        foreach (var (queue, pending) in queues.Zip(_pending))
        {
            await queue.DisposeAsync();
            await StreamWait.ObserveAsync(pending);
        }

        _closing.Dispose();
    }
}
