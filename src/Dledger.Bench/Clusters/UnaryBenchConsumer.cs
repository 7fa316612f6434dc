using Dledger.Bench.Targets;
using Dledger.Client.Consuming;

namespace Dledger.Bench.Clusters;

/// <summary>One call for each receive, and one for the acknowledgement of what it brought.</summary>
internal sealed class UnaryBenchConsumer(SimpleConsumer consumer, string topic) : IBenchConsumer
{
    private ReceiveOptions _options = new();

    public async Task<IBenchDelivery> ReceiveAsync(int countMax, TimeSpan wait, CancellationToken cancellationToken)
    {
        if (_options.CountMax != countMax || _options.Wait != wait)
        {
            _options = new ReceiveOptions { CountMax = countMax, Wait = wait, InvisibleDuration = TimeSpan.FromMinutes(1) };
        }

        return new Delivery(consumer, await consumer.ReceiveAsync(topic, _options, cancellationToken));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Delivery(SimpleConsumer consumer, IReadOnlyList<ReceivedMessage> messages) : IBenchDelivery
    {
        public int Count => messages.Count;

        public ReadOnlySpan<byte> Body(int index) => messages[index].Body.Span;

        public int Attempt(int index) => messages[index].Attempt;

        public Task AckAsync(CancellationToken cancellationToken) => consumer.AckAsync(messages, cancellationToken);

        // The protocol gives messages back one by one.
        public Task ReturnAsync(CancellationToken cancellationToken) =>
            Task.WhenAll(messages.Select(message => consumer.ChangeInvisibleAsync(message, TimeSpan.Zero, cancellationToken)));
    }
}
