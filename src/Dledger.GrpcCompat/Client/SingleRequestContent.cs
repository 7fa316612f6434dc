using System.Net;
using Dledger.GrpcCompat.Wire;

namespace Dledger.GrpcCompat.Client;

/// <summary>The body of a request with one message. Serialised anew should HTTP send the request again.</summary>
internal sealed class SingleRequestContent<TRequest, TResponse>(ClientCall<TRequest, TResponse> call, TRequest message)
    : HttpContent
    where TRequest : class
    where TResponse : class
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        return SerializeToStreamAsync(stream, context, CancellationToken.None);
    }

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using var buffer = new PooledBuffer();
        try
        {
            call.Serialize(message, buffer, call.Options.WriteOptions);
        }
        catch (Exception fault)
        {
            call.Abort(CallFaults.OfSerializer(fault));
            throw;
        }

        await stream.WriteAsync(buffer.Written, cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
