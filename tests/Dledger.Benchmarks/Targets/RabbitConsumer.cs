using System.Buffers;
using System.Globalization;
using System.Threading.Channels;
using Dledger.Bench.Targets;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Dledger.Benchmarks.Targets;

/// <summary>The broker pushes as many messages as may be unacknowledged; they are handed out as they have come.</summary>
internal sealed class RabbitConsumer : IBenchConsumer, IBenchDelivery
{
    // Bodies belong to the client only while it tells us of them, so they are copied into rented arrays.
    private readonly record struct Pushed(ulong Tag, byte[] Array, int Length, int Attempt);

    private const string DeliveryCount = "x-delivery-count";

    private readonly IChannel _channel;
    private readonly Channel<Pushed> _pushed;
    private readonly List<Pushed> _delivered = [];

    private RabbitConsumer(IChannel channel, int prefetch)
    {
        _channel = channel;
        _pushed = Channel.CreateBounded<Pushed>(new BoundedChannelOptions(prefetch) { SingleReader = true });
    }

    public int Count => _delivered.Count;

    /// <param name="channel">Belongs to the consumer from here on.</param>
    /// <param name="queue">What it reads.</param>
    /// <param name="prefetch">Most messages that are pushed and not yet acknowledged.</param>
    /// <param name="cancellationToken">Stops the start.</param>
    public static async Task<RabbitConsumer> StartAsync(
        IChannel channel, string queue, ushort prefetch, CancellationToken cancellationToken)
    {
        var consumer = new RabbitConsumer(channel, prefetch);
        var events = new AsyncEventingBasicConsumer(channel);
        events.ReceivedAsync += consumer.OnReceivedAsync;
        events.ShutdownAsync += (_, _) =>
        {
            consumer._pushed.Writer.TryComplete();
            return Task.CompletedTask;
        };
        await channel.BasicQosAsync(0, prefetch, global: false, cancellationToken);
        await channel.BasicConsumeAsync(queue, autoAck: false, events, cancellationToken);
        return consumer;
    }

    public async Task<IBenchDelivery> ReceiveAsync(int countMax, TimeSpan wait, CancellationToken cancellationToken)
    {
        Clear();
        if (!_pushed.Reader.TryPeek(out _) && !await ComesAsync(wait, cancellationToken))
        {
            return this;
        }

        while (_delivered.Count < countMax && _pushed.Reader.TryRead(out var message))
        {
            _delivered.Add(message);
        }

        return this;
    }

    public ReadOnlySpan<byte> Body(int index) => _delivered[index].Array.AsSpan(0, _delivered[index].Length);

    public int Attempt(int index) => _delivered[index].Attempt;

    // One frame for all: they came in this order on this channel. It is sent and not answered; AMQP has no answer to it.
    public async Task AckAsync(CancellationToken cancellationToken)
    {
        if (_delivered.Count > 0)
        {
            await _channel.BasicAckAsync(_delivered[^1].Tag, multiple: true, cancellationToken);
        }
    }

    public async Task ReturnAsync(CancellationToken cancellationToken)
    {
        if (_delivered.Count > 0)
        {
            await _channel.BasicNackAsync(_delivered[^1].Tag, multiple: true, requeue: true, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        _pushed.Writer.TryComplete();
        while (_pushed.Reader.TryRead(out var message))
        {
            ArrayPool<byte>.Shared.Return(message.Array);
        }

        Clear();
    }

    private async Task OnReceivedAsync(object sender, BasicDeliverEventArgs delivery)
    {
        var array = ArrayPool<byte>.Shared.Rent(delivery.Body.Length);
        delivery.Body.CopyTo(array);
        var message = new Pushed(delivery.DeliveryTag, array, delivery.Body.Length, AttemptOf(delivery));
        try
        {
            await _pushed.Writer.WriteAsync(message, delivery.CancellationToken);
        }
        catch (ChannelClosedException)
        {
            // The consumer is being closed: the broker will deliver it again.
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    // A quorum queue counts deliveries that failed before; the header is missing on the first.
    private static int AttemptOf(BasicDeliverEventArgs delivery) =>
        delivery.BasicProperties.Headers is { } headers && headers.TryGetValue(DeliveryCount, out var count)
            ? Convert.ToInt32(count, CultureInfo.InvariantCulture) + 1
            : 1;

    private async Task<bool> ComesAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(wait);
        try
        {
            return await _pushed.Reader.WaitToReadAsync(limit.Token)
                ? true
                : throw new InvalidOperationException("the channel was closed");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private void Clear()
    {
        foreach (var message in _delivered)
        {
            ArrayPool<byte>.Shared.Return(message.Array);
        }

        _delivered.Clear();
    }
}
