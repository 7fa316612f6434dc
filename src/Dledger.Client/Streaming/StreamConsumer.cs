using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Stream.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Client.Streaming;

/// <summary>Receives messages of a topic for a consumer group over one long stream. Safe for any thread.</summary>
/// <remarks>
/// What is not settled before its invisible duration is over is delivered again, to any member of the group. Deliveries that wait here
/// count as well: <see cref="StreamConsumerOptions.BufferBytesMax"/> is best not more than what is processed in that time.
/// </remarks>
public sealed class StreamConsumer : IAsyncDisposable
{
    private readonly ConsumeLink _link;

    /// <summary>Opens nothing yet; the stream comes with the first receive.</summary>
    public StreamConsumer(
        DledgerChannel channel, string group, string topic, StreamConsumerOptions? options = null, TimeProvider? time = null)
    {
        options ??= new StreamConsumerOptions();
        options.Check();
        Group = group;
        Topic = topic;
        var subscribe = new Subscribe
        {
            Group = group,
            Topic = topic,
            Filter = FilterOf(options),
            InvisibleDuration = Duration.FromTimeSpan(options.InvisibleDuration),
            BatchCountMax = options.BatchCountMax,
        };
        subscribe.Compressions.AddRange(options.Compressions);
        _link = new ConsumeLink(
            channel,
            $"Consuming topic '{topic}' for group '{group}'",
            options,
            () => new ConsumeRequest { Subscribe = subscribe },
            time ?? TimeProvider.System);
    }

    public string Group { get; }

    public string Topic { get; }

    /// <summary>The next messages, as soon as there are any.</summary>
    /// <exception cref="DledgerException">It was refused, or no node serves for longer than the channel retries.</exception>
    public Task<StreamDelivery> ReceiveAsync(CancellationToken cancellationToken = default) =>
        _link.RunAsync(stream => stream.ReceiveAsync(cancellationToken).AsTask(), cancellationToken);

    /// <summary>Says that all messages of a delivery are done with.</summary>
    /// <exception cref="DledgerException">See the kinds; the messages may be delivered again.</exception>
    public Task AckAsync(StreamDelivery delivery, CancellationToken cancellationToken = default) =>
        SettleAsync(delivery, delivery.Wire.Spans, Settlement.Ack, TimeSpan.Zero, cancellationToken);

    /// <summary>Says that one message of a delivery is done with.</summary>
    /// <exception cref="DledgerException">See the kinds; the message may be delivered again.</exception>
    public Task AckAsync(StreamDelivery delivery, StreamedMessage message, CancellationToken cancellationToken = default) =>
        SettleAsync(delivery, [SpanOf(message)], Settlement.Ack, TimeSpan.Zero, cancellationToken);

    /// <summary>Has one message delivered again after a time, which counts as an attempt.</summary>
    /// <exception cref="DledgerException">See the kinds; the message comes again when its lease ends.</exception>
    public Task RetryAsync(
        StreamDelivery delivery, StreamedMessage message, TimeSpan after, CancellationToken cancellationToken = default) =>
        SettleAsync(delivery, [SpanOf(message)], Settlement.Retry, after, cancellationToken);

    /// <summary>Keeps all messages of a delivery invisible for a time from now on.</summary>
    /// <exception cref="DledgerException">See the kinds; the messages may be delivered again.</exception>
    public Task RenewAsync(StreamDelivery delivery, TimeSpan duration, CancellationToken cancellationToken = default) =>
        SettleAsync(delivery, delivery.Wire.Spans, Settlement.Renew, duration, cancellationToken);

    /// <summary>Ends the stream. What was not settled is delivered again when its time is over.</summary>
    public ValueTask DisposeAsync() => _link.DisposeAsync();

    internal static FilterExpression FilterOf(StreamConsumerOptions options) => new()
    {
        Type = options.IsSql ? FilterType.Sql : FilterType.Tag,
        Expression = options.Filter,
    };

    private static MessageSpan SpanOf(in StreamedMessage message) =>
        new() { QueueId = message.QueueId, FirstOffset = message.Offset, Count = 1 };

    private Task SettleAsync(
        StreamDelivery delivery,
        IReadOnlyCollection<MessageSpan> spans,
        Settlement settlement,
        TimeSpan after,
        CancellationToken cancellationToken)
    {
        var settle = new Settle
        {
            DeliveryId = delivery.Wire.DeliveryId,
            Settlement = settlement,
            After = settlement == Settlement.Ack ? null : Duration.FromTimeSpan(after),
        };
        settle.Spans.AddRange(spans);
        return _link.RunAsync(
            async stream =>
            {
                await stream.SettleAsync(settle, cancellationToken).ConfigureAwait(false);
                return true;
            },
            cancellationToken);
    }
}
