namespace Grpc.Core;

/// <summary>Sends messages in order. One write at a time.</summary>
public interface IAsyncStreamWriter<in T>
{
    /// <summary>Options of the messages written from now on; null: those of the call.</summary>
    WriteOptions? WriteOptions { get; set; }

    /// <summary>Completes when the message is accepted for sending, which flow control may delay.</summary>
    Task WriteAsync(T message);

    /// <inheritdoc cref="WriteAsync(T)"/>
    Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        return cancellationToken.CanBeCanceled
            ? throw new NotSupportedException("This stream writer cannot cancel a single write.")
            : WriteAsync(message);
    }
}
