using System.Buffers;
using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Stream.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Dledger.Client.Streaming;

/// <summary>One stream of batches to one node. One task sends, one reads the answers.</summary>
internal sealed class ProduceStream(
    DledgerChannel channel,
    NodeConnection node,
    ProducerIdentity identity,
    StreamProducerOptions options,
    BatchQueue queue,
    TimeProvider time)
{
    private const int StaleCountMax = 3;
    private const int SequenceMax = int.MaxValue - 2_048;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, OutgoingBatch> _unanswered = [];
    private readonly List<OutgoingBatch> _toRepeat = [];
    private TaskCompletionSource<TopicOpened>? _opening;
    private CancellationTokenSource? _silence;
    private ulong _lastNumber;
    private int _window = 1;
    private TimeSpan _repeatDelay;
    private bool _mustRenumber;
    private bool _hasSent;

    public NodeConnection Node { get; } = node;

    /// <summary>A batch was stored over it.</summary>
    public bool HasStored { get; private set; }

    /// <summary>Where the next stream had better go; null: anywhere.</summary>
    public string? LeaderAddress { get; private set; }

    /// <summary>What was sent and not answered, in order. To be asked when the stream has ended.</summary>
    public List<OutgoingBatch> Unanswered()
    {
        lock (_lock)
        {
            var rest = _unanswered.Values.Concat(_toRepeat).OrderBy(static batch => batch.Number).ToList();
            foreach (var batch in _toRepeat)
            {
                batch.Number = 0;
            }

            _unanswered.Clear();
            _toRepeat.Clear();
            return rest;
        }
    }

    /// <summary>Sends until the stream ends; returns when another stream has to be opened for no fault of this one.</summary>
    /// <exception cref="DledgerException">The stream broke, was refused, or was silent for too long.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var silence = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, silence.Token);
        _silence = silence;
        using var call = Node.Streams.Produce(new CallOptions(Node.Headers(), cancellationToken: linked.Token));
        var reading = ReadAsync(call, linked);
        DledgerException? ending = null;
        try
        {
            await SendAsync(call, linked.Token).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is RpcException or OperationCanceledException or InvalidOperationException or IOException)
        {
            // The reader knows why.
        }
        catch (DledgerException fault)
        {
            ending = fault;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
        }

        var failure = await reading.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (ending is not null)
        {
            throw ending;
        }

        if (silence.IsCancellationRequested)
        {
            throw new OutcomeUnknownException(
                $"Sending over a stream: no answer from {Node.Address} in time.", "See who leads: dledger cluster status", null);
        }

        if (failure is not null)
        {
            throw CallFailure.Judge(failure, "Sending over a stream", Node.Address);
        }
    }

    private async Task SendAsync(AsyncDuplexStreamingCall<ProduceRequest, ProduceResponse> call, CancellationToken cancellationToken)
    {
        while (true)
        {
            switch (await NextStepAsync(cancellationToken).ConfigureAwait(false))
            {
                case Step.End:
                    return;
                case Step.Wait:
                    await queue.WaitAsync(cancellationToken).ConfigureAwait(false);
                    continue;
            }

            if (queue.TryTake() is not { } batch)
            {
                await queue.WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            var isSent = false;
            try
            {
                isSent = await SendAsync(call, batch, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                if (!isSent)
                {
                    queue.PutBack([batch]);
                }
            }

            if (LeaderAddress is not null && !_hasSent)
            {
                return;
            }
        }
    }

    private async ValueTask<Step> NextStepAsync(CancellationToken cancellationToken)
    {
        TimeSpan delay;
        lock (_lock)
        {
            if (_toRepeat.Count == 0 && !_mustRenumber)
            {
                return _unanswered.Count < _window ? Step.Send : Step.Wait;
            }

            if (_unanswered.Count > 0)
            {
                return Step.Wait;
            }

            delay = _repeatDelay;
            _repeatDelay = default;
        }

        if (delay > TimeSpan.Zero)
        {
            await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
        }

        lock (_lock)
        {
            if (!_mustRenumber)
            {
                queue.PutBack([.. _toRepeat.OrderBy(static batch => batch.Number)]);
                _toRepeat.Clear();
                return Step.Send;
            }
        }

        identity.Reset();
        return Step.End;
    }

    // False when it has to be sent over another stream; a batch that cannot be sent at all has failed.
    private async Task<bool> SendAsync(
        AsyncDuplexStreamingCall<ProduceRequest, ProduceResponse> call, OutgoingBatch batch, CancellationToken cancellationToken)
    {
        var topic = queue.Topic(batch.Topic);
        if (!topic.IsOpen && await OpenAsync(call, topic, cancellationToken).ConfigureAwait(false) is { } refusal)
        {
            if (refusal.IsTransient)
            {
                _repeatDelay = refusal is ClusterUnavailableException { RetryAfter: { } wait } ? wait : RetryDelay;
                if (IsOld(batch))
                {
                    GiveUp(batch, refusal);
                    return true;
                }

                lock (_lock)
                {
                    batch.Number = ++_lastNumber;
                    _toRepeat.Add(batch);
                }

                return true;
            }

            GiveUp(batch, refusal);
            return true;
        }

        if (LeaderAddress is not null && !_hasSent)
        {
            return false;
        }

        if (!batch.TryFindQueue(topic.QueueCount, out var queueId) && !topic.ServerChoosesQueue)
        {
            batch.Fail(new RequestRefusedException(
                $"Sending to topic '{batch.Topic}': the message groups of the batch belong to several queues.",
                "Send each message group by itself.",
                nameof(Code.MessageCorrupted),
                null));
            return true;
        }

        if (options.IsNumbered && batch.FirstSequence == 0)
        {
            if (topic.LastSequence > SequenceMax)
            {
                lock (_lock)
                {
                    _mustRenumber = true;
                }

                return false;
            }

            batch.FirstSequence = topic.LastSequence + 1;
            topic.LastSequence += batch.Records.Count;
        }

        batch.QueueId = queueId ?? batch.QueueId ?? topic.NextQueue();
        batch.Records.Address(
            topic.Id, batch.QueueId.Value, topic.WantsIdHash, options.IsNumbered ? identity.Id : 0, identity.Epoch, batch.FirstSequence);
        lock (_lock)
        {
            batch.Number = ++_lastNumber;
            _unanswered.Add(batch.Number, batch);
            if (_unanswered.Count == 1)
            {
                _silence!.CancelAfter(channel.Options.RequestTimeout);
            }
        }

        _hasSent = true;
        await WriteAsync(call, batch, topic, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async ValueTask WriteAsync(
        AsyncDuplexStreamingCall<ProduceRequest, ProduceResponse> call,
        OutgoingBatch batch,
        StreamTopic topic,
        CancellationToken cancellationToken)
    {
        byte[]? rented = null;
        var packed = topic.TakesCompressed
            ? batch.Records.Compress((Primitives.Compression)options.Compression, out rented)
            : default;
        try
        {
            var request = new RecordBatch
            {
                Handle = topic.Handle,
                Number = batch.Number,
                Count = batch.Records.Count,
                Records = UnsafeByteOperations.UnsafeWrap(packed.IsEmpty ? batch.Records.Written : packed),
            };
            if (!packed.IsEmpty)
            {
                request.Compression = (Compression)options.Compression;
                request.UncompressedSize = batch.Records.Length;
            }

            await call.RequestStream.WriteAsync(new ProduceRequest { Batch = request }, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // What was written is a copy.
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    private async Task<DledgerException?> OpenAsync(
        AsyncDuplexStreamingCall<ProduceRequest, ProduceResponse> call, StreamTopic topic, CancellationToken cancellationToken)
    {
        var opening = new TaskCompletionSource<TopicOpened>(TaskCreationOptions.RunContinuationsAsynchronously);
        _opening = opening;
        await call.RequestStream.WriteAsync(
            new ProduceRequest { Open = new OpenTopic { Topic = topic.Name, Handle = topic.Handle } },
            cancellationToken).ConfigureAwait(false);
        TopicOpened opened;
        try
        {
            opened = await opening.Task
                .WaitAsync(channel.Options.RequestTimeout, time, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new ClusterUnavailableException(
                $"Sending to topic '{topic.Name}': no answer from {Node.Address} in time.", "See who leads: dledger cluster status");
        }

        LeaderAddress = opened.LeaderAddress.Length > 0 ? opened.LeaderAddress : null;
        if (ResponseStatus.Judge(opened.Status, $"Sending to topic '{topic.Name}'") is { } failure)
        {
            return failure;
        }

        topic.Id = opened.TopicId;
        topic.QueueCount = opened.QueueCount;
        topic.WantsIdHash = opened.WantsIdHash;
        topic.ServerChoosesQueue = opened.ServerChoosesQueue;
        topic.TakesCompressed = options.Compression != BatchCompression.None
            && opened.Compressions.Contains((Compression)options.Compression);
        topic.IsOpen = true;
        _window = Math.Max(1, Math.Min(options.BatchesInFlightMax, opened.BatchesInFlightMax));
        return null;
    }

    // Why it ended; null when it was ended from here.
    private async Task<RpcException?> ReadAsync(
        AsyncDuplexStreamingCall<ProduceRequest, ProduceResponse> call, CancellationTokenSource linked)
    {
        try
        {
            while (await call.ResponseStream.MoveNext(linked.Token).ConfigureAwait(false))
            {
                Take(call.ResponseStream.Current);
            }

            return new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "the node ended the stream"));
        }
        catch (Exception fault) when (linked.IsCancellationRequested && fault is RpcException or OperationCanceledException or IOException)
        {
            return null;
        }
        catch (RpcException fault)
        {
            return fault;
        }
        finally
        {
            if (!linked.IsCancellationRequested)
            {
                await linked.CancelAsync().ConfigureAwait(false);
            }
        }
    }

    private void Take(ProduceResponse response)
    {
        if (response.Opened is { } opened)
        {
            _opening?.TrySetResult(opened);
        }

        foreach (var result in response.Results)
        {
            OutgoingBatch? batch;
            lock (_lock)
            {
                if (!_unanswered.Remove(result.Number, out batch))
                {
                    continue;
                }

                _silence!.CancelAfter(_unanswered.Count == 0 ? Timeout.InfiniteTimeSpan : channel.Options.RequestTimeout);
            }

            Settle(batch, result);
        }

        queue.Signal();
    }

    private void Settle(OutgoingBatch batch, BatchResult result)
    {
        var operation = $"Sending {batch.Records.Count} messages to topic '{batch.Topic}'";
        var failure = ResponseStatus.Judge(result.Status, operation)
            ?? result.Messages.Select(message => ResponseStatus.Judge(message.Status, operation)).FirstOrDefault(each => each is not null);
        if (failure is null)
        {
            HasStored = true;
            batch.Complete(ReceiptOf(batch, result));
            return;
        }

        lock (_lock)
        {
            if (MayRepeat(batch, result.Status.Code, failure) && !IsOld(batch))
            {
                _toRepeat.Add(batch);
                return;
            }

            _mustRenumber |= options.IsNumbered;
        }

        Fail(batch, failure);
    }

    // Before it was sent over this stream. The numbers that it has nobody else may have, so those behind it need other ones.
    private void GiveUp(OutgoingBatch batch, DledgerException failure)
    {
        lock (_lock)
        {
            _mustRenumber |= batch.FirstSequence != 0;
        }

        Fail(batch, failure);
    }

    private static void Fail(OutgoingBatch batch, DledgerException failure) => batch.Fail(
        batch.MayBeStored && failure is not OutcomeUnknownException
            ? new OutcomeUnknownException(failure.Summary, "An earlier attempt may have stored it.", failure)
            : failure);

    private bool MayRepeat(OutgoingBatch batch, Code code, DledgerException failure)
    {
        switch (code)
        {
            case Code.TopicNotFound:
                queue.Topic(batch.Topic).IsOpen = false;
                return ++batch.StaleCount < StaleCountMax;
            case Code.NotFound or Code.Forbidden when options.IsNumbered && !batch.MayBeStored:
            case Code.PreconditionFailed when _mustRenumber && !batch.MayBeStored:
                // The cluster knows the producer no more, or a batch before it has failed for good: nothing of this one is stored.
                _mustRenumber = true;
                batch.FirstSequence = 0;
                return ++batch.StaleCount < StaleCountMax;
            case Code.PreconditionFailed:
                return _toRepeat.Count > 0;
        }

        batch.MayBeStored |= failure is OutcomeUnknownException;
        if (!failure.IsTransient)
        {
            return false;
        }

        var delay = failure is ClusterUnavailableException { RetryAfter: { } wait } ? wait : RetryDelay;
        _repeatDelay = delay > _repeatDelay ? delay : _repeatDelay;
        return true;
    }

    private bool IsOld(OutgoingBatch batch) => time.GetElapsedTime(batch.CreatedAt) > channel.Options.RetryTimeout;

    private static BatchReceipt ReceiptOf(OutgoingBatch batch, BatchResult result)
    {
        var receipt = new BatchReceipt(result.QueueId, result.FirstOffset, batch.Records.Count);
        return result.Messages.Count == 0
            ? receipt
            : receipt with
            {
                FirstOffset = result.Messages[0].Offset,
                Offsets = [.. result.Messages.Select(message => message.Offset)],
                RecallHandles = [.. result.Messages.Select(message => message.RecallHandle)],
            };
    }

    private enum Step
    {
        Send,
        Wait,
        End,
    }
}
