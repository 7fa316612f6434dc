using Dledger.Bench.Targets;
using Dledger.Client.Streaming;

namespace Dledger.Bench.Clusters;

/// <summary>Messages that came together over a stream; of a reader when there is nobody to settle them with.</summary>
internal sealed class StreamBenchDelivery(StreamConsumer? consumer, StreamDelivery? messages) : IBenchDelivery
{
    /// <summary>Nothing came.</summary>
    public static StreamBenchDelivery None { get; } = new(null, null);

    public int Count => messages?.Count ?? 0;

    public ReadOnlySpan<byte> Body(int index) => messages![index].Body.Span;

    public int Attempt(int index) => messages![index].Attempt;

    public Task AckAsync(CancellationToken cancellationToken) =>
        consumer?.AckAsync(messages!, cancellationToken) ?? Task.CompletedTask;

    // One by one, as they may be given back at different times.
    public Task ReturnAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(messages!.Select(message => consumer!.RetryAsync(messages!, message, TimeSpan.Zero, cancellationToken)));
}
