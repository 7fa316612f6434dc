using Grpc.Core;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>The responses of a streaming call.</summary>
internal sealed class ResponseStream<TResponse>(ServerCall call, Marshaller<TResponse> marshaller)
    : IServerStreamWriter<TResponse>
    where TResponse : class
{
    public WriteOptions? WriteOptions
    {
        get => call.WriteOptions;
        set => call.WriteOptions = value;
    }

    public Task WriteAsync(TResponse message)
    {
        return WriteAsync(message, CancellationToken.None);
    }

    public Task WriteAsync(TResponse message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        return cancellationToken.IsCancellationRequested
            ? Task.FromCanceled(cancellationToken)
            : call.WriteStreamedAsync(marshaller, message, cancellationToken);
    }
}
