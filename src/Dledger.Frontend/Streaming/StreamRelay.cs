using Grpc.Core;

namespace Dledger.Frontend.Streaming;

/// <summary>Passes a stream on to another node, frame by frame, in both directions.</summary>
internal static class StreamRelay
{
    /// <summary>Ends when the other node ends the stream, which it does when the client does.</summary>
    /// <exception cref="RpcException">The other node failed the call, or is gone.</exception>
    public static async Task RunAsync<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requests,
        IServerStreamWriter<TResponse> responses,
        AsyncDuplexStreamingCall<TRequest, TResponse> call,
        Action<TResponse> mark,
        CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sending = SendAsync(requests, call.RequestStream, stop.Token);
        try
        {
            while (await call.ResponseStream.MoveNext(stop.Token))
            {
                mark(call.ResponseStream.Current);
                await responses.WriteAsync(call.ResponseStream.Current, stop.Token);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await sending;
        }
    }

    // What goes wrong here ends the other direction too, which tells it.
    private static async Task SendAsync<TRequest>(
        IAsyncStreamReader<TRequest> requests, IClientStreamWriter<TRequest> target, CancellationToken cancellationToken)
    {
        try
        {
            while (await requests.MoveNext(cancellationToken))
            {
                await target.WriteAsync(requests.Current, cancellationToken);
            }

            await target.CompleteAsync();
        }
        catch (Exception fault) when (fault is RpcException or OperationCanceledException or InvalidOperationException or IOException)
        {
        }
    }
}
