using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Stream.V1;

namespace Dledger.Client.Streaming;

/// <summary>The stream that a consumer has at present, and another one when it ends. Safe for any thread.</summary>
internal sealed class ConsumeLink(
    DledgerChannel channel, string operation, StreamConsumerOptions options, Func<ConsumeRequest> first, TimeProvider time)
    : IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan RetryDelayMax = TimeSpan.FromMilliseconds(500);

    private readonly SemaphoreSlim _opening = new(1);
    private ConsumeStream? _stream;
    private string? _leaderAddress;
    private bool _isDisposed;

    /// <summary>Does something on the stream, and on another one when it ends, until it is done, refused, or the patience is over.</summary>
    /// <exception cref="DledgerException">It was refused, or no node serves for longer than the channel retries.</exception>
    public async Task<T> RunAsync<T>(Func<ConsumeStream, Task<T>> step, CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            ConsumeStream? stream = null;
            try
            {
                stream = await GetAsync(cancellationToken).ConfigureAwait(false);
                return await step(stream).ConfigureAwait(false);
            }
            catch (DledgerException failure) when (failure.IsTransient)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (stream is not null)
                {
                    await DropAsync(stream).ConfigureAwait(false);

                    // It worked until now: the patience is for finding the next one.
                    begun = attempt == 0 ? time.GetTimestamp() : begun;
                }

                if (time.GetElapsedTime(begun) > channel.Options.RetryTimeout)
                {
                    throw;
                }

                var delay = RetryDelay * Math.Pow(2, Math.Min(attempt, 6));
                await Task.Delay(delay < RetryDelayMax ? delay : RetryDelayMax, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        if (Interlocked.Exchange(ref _stream, null) is { } stream)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<ConsumeStream> GetAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _stream) is { } present)
        {
            return present;
        }

        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_stream is { } opened)
            {
                return opened;
            }

            var node = channel.NodeFor(_leaderAddress);
            try
            {
                var stream = await ConsumeStream
                    .OpenAsync(node, first(), operation, options.BufferBytesMax, channel.Options.RequestTimeout, time, cancellationToken)
                    .ConfigureAwait(false);
                _leaderAddress = stream.LeaderAddress ?? _leaderAddress;
                Volatile.Write(ref _stream, stream);
                return stream;
            }
            catch (DledgerException)
            {
                _leaderAddress = null;
                channel.Leave(node);
                throw;
            }
        }
        finally
        {
            _opening.Release();
        }
    }

    private async Task DropAsync(ConsumeStream stream)
    {
        if (Interlocked.CompareExchange(ref _stream, null, stream) == stream)
        {
            channel.Leave(stream.Node);
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }
}
