using Dledger.Bench.Targets;
using Dledger.Client.Streaming;

namespace Dledger.Bench.Clusters;

/// <summary>Receives over one stream.</summary>
internal sealed class StreamBenchConsumer(StreamConsumer consumer) : IBenchConsumer
{
    private readonly CancellationTokenSource _closing = new();

    // A receive that nothing came for in time goes on: what comes later belongs to the next one.
    private Task<StreamDelivery>? _pending;

    public async Task<IBenchDelivery> ReceiveAsync(int countMax, TimeSpan wait, CancellationToken cancellationToken)
    {
        var pending = _pending ??= consumer.ReceiveAsync(_closing.Token);
        if (!pending.IsCompleted && !await StreamWait.EndsAsync(pending, wait, cancellationToken))
        {
            return StreamBenchDelivery.None;
        }

        _pending = null;
        return new StreamBenchDelivery(consumer, await pending);
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await consumer.DisposeAsync();
        await StreamWait.ObserveAsync(_pending);
        _closing.Dispose();
    }
}
