using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Stream.V1;

namespace Dledger.Client.Streaming;

/// <summary>Reads one queue from an offset on, without a group: nothing is settled, and others are given the same. One caller at a time.</summary>
public sealed class QueueReader : IAsyncDisposable
{
    private readonly ConsumeLink _link;

    /// <summary>Opens nothing yet; the stream comes with the first read.</summary>
    public QueueReader(
        DledgerChannel channel,
        string topic,
        int queueId,
        long offset,
        StreamConsumerOptions? options = null,
        TimeProvider? time = null)
    {
        options ??= new StreamConsumerOptions();
        options.Check();
        Topic = topic;
        QueueId = queueId;
        NextOffset = offset;
        _link = new ConsumeLink(
            channel,
            $"Reading queue {queueId} of topic '{topic}'",
            options,
            () => new ConsumeRequest
            {
                Read = new ReadQueue
                {
                    Topic = topic,
                    QueueId = queueId,
                    Offset = NextOffset,
                    Filter = StreamConsumer.FilterOf(options),
                    Compressions = { options.Compressions },
                },
            },
            time ?? TimeProvider.System);
    }

    public string Topic { get; }

    public int QueueId { get; }

    /// <summary>Where the next read goes on.</summary>
    public long NextOffset { get; private set; }

    /// <summary>The next messages, as soon as there are any. It may be empty: then what was looked at did not match the filter.</summary>
    /// <exception cref="DledgerException">It was refused, or no node serves for longer than the channel retries.</exception>
    public async Task<StreamDelivery> ReadAsync(CancellationToken cancellationToken = default)
    {
        var delivery = await _link
            .RunAsync(stream => stream.ReceiveAsync(cancellationToken).AsTask(), cancellationToken)
            .ConfigureAwait(false);
        NextOffset = delivery.NextOffset;
        return delivery;
    }

    /// <summary>Ends the stream.</summary>
    public ValueTask DisposeAsync() => _link.DisposeAsync();
}
