using Grpc.Core;

namespace Dledger.Frontend.Messaging;

/// <summary>Counts the messages among the frames of an answer.</summary>
internal sealed class CountingWriter<TFrame>(
    IServerStreamWriter<TFrame> frames, Func<TFrame, bool> isMessage, TrafficMeter meter) : IServerStreamWriter<TFrame>
{
    /// <inheritdoc/>
    public WriteOptions? WriteOptions
    {
        get => frames.WriteOptions;
        set => frames.WriteOptions = value;
    }

    /// <inheritdoc/>
    public Task WriteAsync(TFrame message)
    {
        Count(message);
        return frames.WriteAsync(message);
    }

    /// <inheritdoc/>
    public Task WriteAsync(TFrame message, CancellationToken cancellationToken)
    {
        Count(message);
        return frames.WriteAsync(message, cancellationToken);
    }

    private void Count(TFrame frame)
    {
        if (isMessage(frame))
        {
            meter.Add(1);
        }
    }
}
