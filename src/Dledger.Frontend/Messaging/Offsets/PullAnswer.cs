using Dledger.Broker.Messages;
using Dledger.Frontend.Messaging.Consuming;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Offsets;

/// <summary>The frames of one pull: a status, the messages, and where to read on. Owned by the call.</summary>
internal sealed class PullAnswer(IServerStreamWriter<Wire.PullMessageResponse> responses, FrontendOptions options)
{
    /// <summary>More frames follow at once: they may leave together.</summary>
    private static readonly WriteOptions MoreFollows = new(WriteFlags.BufferHint);

    private readonly string _storeHost = options.FindNode(options.Self)?.ClientAddress ?? "";

    /// <summary>Something has left, so the call cannot start over.</summary>
    public bool IsBegun { get; private set; }

    /// <summary>A status without messages; the offset where to read on, if it is known.</summary>
    public async Task WriteStatusAsync(Wire.Status status, long? nextOffset)
    {
        await WriteAsync(
            new Wire.PullMessageResponse { Status = status }, isLast: nextOffset is null, CancellationToken.None);
        if (nextOffset is { } next)
        {
            await WriteAsync(
                new Wire.PullMessageResponse { NextOffset = next }, isLast: true, CancellationToken.None);
        }
    }

    public async Task WriteMessagesAsync(
        IReadOnlyList<DeliveredMessage> messages,
        Wire.Resource topic,
        string resourceNamespace,
        long nextOffset,
        CancellationToken cancellationToken)
    {
        await WriteAsync(new Wire.PullMessageResponse { Status = StatusMapping.Ok }, isLast: false, cancellationToken);
        foreach (var message in messages)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var encoded = DeliveryEncoder.Encode(message, topic, resourceNamespace, _storeHost);
            encoded.SystemProperties.ClearReceiptHandle();
            await WriteAsync(new Wire.PullMessageResponse { Message = encoded }, isLast: false, cancellationToken);
        }

        await WriteAsync(new Wire.PullMessageResponse { NextOffset = nextOffset }, isLast: true, cancellationToken);
    }

    /// <summary>A frame of another node, as it came.</summary>
    public Task WriteRelayedAsync(Wire.PullMessageResponse frame, CancellationToken cancellationToken) => WriteAsync(
        frame,
        isLast: frame.ContentCase == Wire.PullMessageResponse.ContentOneofCase.NextOffset,
        cancellationToken);

    private Task WriteAsync(Wire.PullMessageResponse frame, bool isLast, CancellationToken cancellationToken)
    {
        IsBegun = true;
        responses.WriteOptions = isLast ? null : MoreFollows;
        return responses.WriteAsync(frame, cancellationToken);
    }
}
