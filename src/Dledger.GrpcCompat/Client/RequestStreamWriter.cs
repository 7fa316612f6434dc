using Dledger.GrpcCompat.Wire;
using Grpc.Core;

namespace Dledger.GrpcCompat.Client;

/// <summary>The request stream of a call. One write at a time.</summary>
internal sealed class RequestStreamWriter<TRequest, TResponse>(
    ClientCall<TRequest, TResponse> call, StreamingRequestContent content) : IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    private bool _completed;
    private int _writing;

    public WriteOptions? WriteOptions { get; set; } = call.Options.WriteOptions;

    public Task WriteAsync(TRequest message)
    {
        return WriteAsync(message, CancellationToken.None);
    }

    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        cancellationToken.ThrowIfCancellationRequested();
        if (_completed)
        {
            throw new InvalidOperationException("The request stream was completed before.");
        }

        if (Interlocked.Exchange(ref _writing, 1) != 0)
        {
            throw new InvalidOperationException("One message at a time: the previous write has not completed.");
        }

        // Part of a message may be in the stream when a write is given up, so cancelling it cancels the call.
        using var registration = cancellationToken.UnsafeRegister(
            static state => ((ClientCall<TRequest, TResponse>)state!).Cancel(), call);
        try
        {
            call.ThrowIfNotWritable();
            await SendAsync(message).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _writing, 0);
        }
    }

    public Task CompleteAsync()
    {
        if (Volatile.Read(ref _writing) != 0)
        {
            throw new InvalidOperationException("The request stream cannot be completed while a write is under way.");
        }

        _completed = true;
        content.End();
        return Task.CompletedTask;
    }

    private async Task SendAsync(TRequest message)
    {
        using var buffer = new PooledBuffer();
        call.Serialize(message, buffer, WriteOptions);
        try
        {
            var stream = await content.Started.ConfigureAwait(false);
            await stream.WriteAsync(buffer.Written, call.Aborted).ConfigureAwait(false);
            if (WriteOptions is null || (WriteOptions.Flags & WriteFlags.BufferHint) == 0)
            {
                await stream.FlushAsync(call.Aborted).ConfigureAwait(false);
            }
        }
        catch (Exception fault)
        {
            // The status that ended the call tells more than the broken stream.
            call.ThrowIfNotWritable();
            throw call.CreateException(TransportFault.ToStatus(fault));
        }
    }
}
