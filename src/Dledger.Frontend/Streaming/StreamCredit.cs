namespace Dledger.Frontend.Streaming;

/// <summary>Bytes that a client lets the server send. Safe for any thread; one waits.</summary>
internal sealed class StreamCredit
{
    private readonly Lock _lock = new();
    private long _bytes;
    private TaskCompletionSource? _waiting;

    /// <summary>False when there would be more than the count can hold.</summary>
    public bool TryAdd(long bytes)
    {
        lock (_lock)
        {
            if (bytes < 1 || bytes > long.MaxValue - Math.Max(0, _bytes))
            {
                return false;
            }

            _bytes += bytes;
            if (_bytes > 0)
            {
                _waiting?.TrySetResult();
                _waiting = null;
            }

            return true;
        }
    }

    /// <summary>Something was sent; the credit may fall below zero.</summary>
    public void Take(long bytes)
    {
        lock (_lock)
        {
            _bytes -= bytes;
        }
    }

    /// <summary>The credit that is left, as soon as there is any.</summary>
    public async ValueTask<long> WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task waiting;
            lock (_lock)
            {
                if (_bytes > 0)
                {
                    return _bytes;
                }

                _waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting = _waiting.Task;
            }

            await waiting.WaitAsync(cancellationToken);
        }
    }
}
