using Dledger.Broker.Messages;
using Dledger.Frontend.Calls;
using Google.Protobuf;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Consuming;

/// <summary>The frames of one receive: a status, the messages, and the time of delivery. Owned by the call.</summary>
/// <remarks>Exactly one status, and no frame without content: one client panics on an empty frame, others take an
/// answer without status for a fault of the server.</remarks>
internal sealed class ReceiveAnswer(
    IServerStreamWriter<ReceiveFrame> responses, FrontendOptions options, TimeProvider time)
{
    /// <summary>More frames follow at once: they may leave together.</summary>
    private static readonly WriteOptions MoreFollows = new(WriteFlags.BufferHint);

    private readonly ReceiveFrame _frame = new();
    private readonly string _storeHost = options.FindNode(options.Self)?.ClientAddress ?? "";

    /// <summary>Something has left, so the call cannot start over.</summary>
    public bool IsBegun { get; private set; }

    /// <summary>A refusal: the status alone.</summary>
    public Task WriteStatusAsync(Wire.Status status) =>
        WriteAsync(new Wire.ReceiveMessageResponse { Status = status }, isLast: true, CancellationToken.None);

    /// <summary>Nothing came in time.</summary>
    public async Task WriteEmptyAsync(string? warning = null)
    {
        var status = StatusMapping.Status(
            Wire.Code.MessageNotFound,
            warning is null ? "no message came while the call waited" : $"no message came while the call waited; {warning}");
        await WriteAsync(
            new Wire.ReceiveMessageResponse { Status = status }, isLast: false, CancellationToken.None);
        await WriteDeliveryTimeAsync(CancellationToken.None);
    }

    public async Task WriteMessagesAsync(
        IReadOnlyList<DeliveredMessage> messages,
        Wire.Resource topic,
        string resourceNamespace,
        string? warning,
        CancellationToken cancellationToken)
    {
        var status = warning is null ? StatusMapping.Ok : StatusMapping.Status(Wire.Code.Ok, $"OK; {warning}");
        await WriteAsync(new Wire.ReceiveMessageResponse { Status = status }, isLast: false, cancellationToken);
        var writer = new DeliveryWriter(topic.ToByteArray(), resourceNamespace, _storeHost);
        for (var i = 0; i < messages.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!_frame.TrySet(messages[i], writer))
            {
                var encoded = DeliveryEncoder.Encode(messages[i], topic, resourceNamespace, _storeHost);
                _frame.Set(new Wire.ReceiveMessageResponse { Message = encoded });
            }

            await WriteFrameAsync(isLast: false, cancellationToken);
        }

        await WriteDeliveryTimeAsync(cancellationToken);
    }

    /// <summary>A frame of another node, as it came.</summary>
    public Task WriteRelayedAsync(Wire.ReceiveMessageResponse frame, CancellationToken cancellationToken) =>
        WriteAsync(
            frame,
            isLast: frame.ContentCase == Wire.ReceiveMessageResponse.ContentOneofCase.DeliveryTimestamp,
            cancellationToken);

    public Task WriteDeliveryTimeAsync(CancellationToken cancellationToken)
    {
        var now = (time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        return WriteAsync(
            new Wire.ReceiveMessageResponse { DeliveryTimestamp = WireTime.ToTimestamp(now) },
            isLast: true,
            cancellationToken);
    }

    private Task WriteAsync(Wire.ReceiveMessageResponse frame, bool isLast, CancellationToken cancellationToken)
    {
        _frame.Set(frame);
        return WriteFrameAsync(isLast, cancellationToken);
    }

    private Task WriteFrameAsync(bool isLast, CancellationToken cancellationToken)
    {
        IsBegun = true;
        responses.WriteOptions = isLast ? null : MoreFollows;
        return responses.WriteAsync(_frame, cancellationToken);
    }
}
