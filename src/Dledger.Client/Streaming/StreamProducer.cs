using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Client.Producing;

namespace Dledger.Client.Streaming;

/// <summary>Sends messages over one long stream, many at a time. Safe for any thread.</summary>
/// <remarks>
/// Messages gather in batches while earlier ones are on their way: nothing waits for a batch to become full, and under load batches grow by
/// themselves. Messages of one message group are stored in the order of the calls, and so are all messages of one call. A batch whose
/// answer is lost is sent again on another stream; its messages are numbered (<see cref="StreamProducerOptions.IsNumbered"/>), so it is
/// stored once. Topics that no <see cref="Producer"/> could send to refuse here as well, with the same errors.
/// </remarks>
public sealed class StreamProducer : IAsyncDisposable
{
    private readonly StreamProducerOptions _options;
    private readonly BatchQueue _queue;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _closing = new();
    private readonly StreamSender _sender;
    private readonly SemaphoreSlim _room = new(0);
    private readonly Lock _lock = new();
    private long _buffered;
    private int _waitingForRoom;
    private Task? _running;
    private bool _isDisposed;

    /// <summary>Opens nothing yet; the stream comes with the first send.</summary>
    public StreamProducer(DledgerChannel channel, StreamProducerOptions? options = null, TimeProvider? time = null)
    {
        _options = options ?? new StreamProducerOptions();
        _options.Check();
        _time = time ?? TimeProvider.System;
        _queue = new BatchQueue(_options, _time);
        _sender = new StreamSender(channel, _options, _queue, _time);
    }

    /// <summary>Sends one message, together with others that are sent at the same time.</summary>
    /// <exception cref="DledgerException">See the kinds; nothing is stored except as they say.</exception>
    public async Task<SendReceipt> SendAsync(OutgoingMessage message, CancellationToken cancellationToken = default)
    {
        var id = message.MessageId ?? MessageIds.Next();
        await TakeRoomAsync(message.Body.Length, cancellationToken).ConfigureAwait(false);
        try
        {
            var (batch, index) = _queue.Add(message, id, NowMicroseconds());
            Start();
            var receipt = await batch.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return new SendReceipt(id, receipt.OffsetOf(index)) { RecallHandle = receipt.RecallHandles?[index] };
        }
        finally
        {
            GiveRoom(message.Body.Length);
        }
    }

    /// <summary>Sends messages of one topic as one batch: all into one queue, in order, all or none.</summary>
    /// <exception cref="ArgumentException">No message, more than 1,024, or of several topics.</exception>
    /// <exception cref="DledgerException">See the kinds; nothing is stored except as they say.</exception>
    public async Task<BatchReceipt> SendAsync(
        IReadOnlyList<OutgoingMessage> messages, CancellationToken cancellationToken = default)
    {
        if (messages.Count is < 1 or > 1_024)
        {
            throw new ArgumentException($"a batch of {messages.Count} messages; 1 to 1024 are allowed", nameof(messages));
        }

        long bytes = 0;
        foreach (var message in messages)
        {
            bytes += message.Body.Length;
            if (message.Topic != messages[0].Topic)
            {
                throw new ArgumentException("the messages of a batch go to one topic", nameof(messages));
            }
        }

        await TakeRoomAsync(bytes, cancellationToken).ConfigureAwait(false);
        try
        {
            var batch = _queue.Add(messages, NowMicroseconds());
            Start();
            return await batch.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            GiveRoom(bytes);
        }
    }

    /// <summary>Ends the stream. Messages without a receipt fail; they may be stored.</summary>
    public async ValueTask DisposeAsync()
    {
        Task? running;
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            running = _running;
        }

        await _closing.CancelAsync().ConfigureAwait(false);
        _queue.Close(new ObjectDisposedException(nameof(StreamProducer)));
        if (running is not null)
        {
            await running.ConfigureAwait(false);
        }

        _closing.Dispose();
        _room.Dispose();
    }

    private void Start()
    {
        if (Volatile.Read(ref _running) is null)
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                _running ??= Task.Run(() => _sender.RunAsync(_closing.Token));
            }
        }
    }

    private long NowMicroseconds() => (_time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    // One send may always go, however large it is.
    private async ValueTask TakeRoomAsync(long bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (true)
        {
            lock (_lock)
            {
                if (_buffered == 0 || _buffered + bytes <= _options.BufferBytesMax)
                {
                    _buffered += bytes;
                    return;
                }

                _waitingForRoom++;
            }

            try
            {
                await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                lock (_lock)
                {
                    _waitingForRoom--;
                }
            }
        }
    }

    private void GiveRoom(long bytes)
    {
        lock (_lock)
        {
            _buffered -= bytes;
            if (_waitingForRoom > _room.CurrentCount && !_isDisposed)
            {
                _room.Release(_waitingForRoom - _room.CurrentCount);
            }
        }
    }
}
