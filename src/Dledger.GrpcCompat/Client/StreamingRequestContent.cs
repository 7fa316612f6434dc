using System.Net;

namespace Dledger.GrpcCompat.Client;

/// <summary>
/// The body of a request with a stream of messages: lends its HTTP stream to the writer until the end.
/// </summary>
internal sealed class StreamingRequestContent : HttpContent
{
    private readonly TaskCompletionSource<Stream> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The stream of the request; cancelled when the call ends before there is one.</summary>
    public Task<Stream> Started => _started.Task;

    /// <summary>Ends the request in order.</summary>
    public void End()
    {
        _ended.TrySetResult();
    }

    /// <summary>Gives the request up: the body ends without END_STREAM.</summary>
    public void Abandon()
    {
        _started.TrySetCanceled();
        _ended.TrySetCanceled();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        return SerializeToStreamAsync(stream, context, CancellationToken.None);
    }

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        // Sends the headers now: the server may have something to say before the first message.
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        if (!_started.TrySetResult(stream))
        {
            // HTTP sends the request a second time, after the server refused it unprocessed. Messages already went into
            // the first attempt, so only the caller can start over.
            throw new IOException("The server refused the connection after the request had begun.");
        }

        await _ended.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
