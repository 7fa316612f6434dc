using Dledger.Client.Connections;
using Dledger.Client.Errors;

namespace Dledger.Client.Streaming;

/// <summary>Sends the batches of a queue, over one stream after another, until each is stored or has failed.</summary>
/// <remarks>
/// When a stream ends, what it was not answered goes first on the next one, in the same order and with the same numbers. A batch that the
/// cluster can not take at present stops the sending until all others are answered; then it and what failed behind it is sent again.
/// </remarks>
internal sealed class StreamSender(DledgerChannel channel, StreamProducerOptions options, BatchQueue queue, TimeProvider time)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan RetryDelayMax = TimeSpan.FromMilliseconds(500);

    private readonly ProducerIdentity _identity = new(channel);
    private string? _leaderAddress;

    /// <summary>Runs until cancelled. Never throws.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            ProduceStream? stream = null;
            DledgerException? failure = null;
            try
            {
                await queue.WaitAsync(cancellationToken).ConfigureAwait(false);
                queue.Signal();
                if (options.IsNumbered && _identity.Id == 0)
                {
                    queue.ForgetNumbers();
                    await _identity.InitAsync(cancellationToken).ConfigureAwait(false);
                }

                stream = new ProduceStream(channel, channel.NodeFor(_leaderAddress), _identity, options, queue, time);
                await stream.RunAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
            }
            catch (DledgerException fault)
            {
                failure = fault;
            }

            if (stream is not null)
            {
                failures = stream.HasStored ? 0 : failures;
                _leaderAddress = failure is null ? stream.LeaderAddress : null;
                TakeOver(stream, cancellationToken.IsCancellationRequested);
            }

            if (failure is not null)
            {
                failures++;
                Expire(failure);
                channel.Leave(stream?.Node);
                await DelayAsync(failures, failure, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // Batches that were sent and not answered.
    private void TakeOver(ProduceStream stream, bool isClosing)
    {
        var rest = stream.Unanswered();
        foreach (var batch in rest)
        {
            batch.MayBeStored = true;
        }

        queue.ForgetTopics();
        if (!isClosing)
        {
            queue.PutBack(rest);
            return;
        }

        foreach (var batch in rest)
        {
            batch.Fail(new OutcomeUnknownException(
                $"Sending to topic '{batch.Topic}': the producer was closed before the answer came.", "It may be stored.", null));
        }
    }

    private void Expire(DledgerException failure)
    {
        var patience = channel.Options.RetryTimeout;
        var expired = queue.TakeWhere(batch => !failure.IsTransient || time.GetElapsedTime(batch.CreatedAt) > patience);
        Fail(expired, failure);
        if (expired.Any(static batch => batch.FirstSequence != 0))
        {
            // Numbers that may be taken must not be given to other messages, and what may be stored under them not get others.
            Fail(queue.TakeWhere(static batch => batch.MayBeStored), failure);
            _identity.Reset();
        }
    }

    private static void Fail(IReadOnlyList<OutgoingBatch> batches, DledgerException failure)
    {
        foreach (var batch in batches)
        {
            batch.Fail(batch.MayBeStored && failure is not OutcomeUnknownException
                ? new OutcomeUnknownException(failure.Summary, "An earlier attempt may have stored it.", failure)
                : failure);
        }
    }

    private async Task DelayAsync(int failures, DledgerException failure, CancellationToken cancellationToken)
    {
        var delay = RetryDelay * Math.Pow(2, Math.Min(failures - 1, 6));
        delay = delay < RetryDelayMax ? delay : RetryDelayMax;
        if (failure is ClusterUnavailableException { RetryAfter: { } wait } && wait > delay)
        {
            delay = wait;
        }

        try
        {
            await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The loop ends by itself.
        }
    }
}
