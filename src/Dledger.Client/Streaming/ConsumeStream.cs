using System.Collections.Concurrent;
using System.Threading.Channels;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Stream.V1;
using Grpc.Core;

namespace Dledger.Client.Streaming;

/// <summary>One stream of deliveries from one node. One task reads it; deliveries wait here as far as the credit goes.</summary>
internal sealed class ConsumeStream : IAsyncDisposable
{
    private readonly string _operation;
    private readonly AsyncDuplexStreamingCall<ConsumeRequest, ConsumeResponse> _call;
    private readonly CancellationTokenSource _stop;
    private readonly Channel<StreamDelivery> _deliveries = Channel.CreateUnbounded<StreamDelivery>(
        new UnboundedChannelOptions { SingleWriter = true });
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<Apache.Rocketmq.V2.Status>> _settling = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly TaskCompletionSource<Subscribed> _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _creditMax;
    private readonly Task _reading;
    private long _owed;
    private long _lastNumber;

    private ConsumeStream(NodeConnection node, string operation, long creditMax)
    {
        Node = node;
        _operation = operation;
        _creditMax = creditMax;
        _stop = new CancellationTokenSource();
        _call = node.Streams.Consume(new CallOptions(node.Headers(), cancellationToken: _stop.Token));
        _reading = ReadAsync();
    }

    public NodeConnection Node { get; }

    /// <summary>Where the next stream had better go; null: anywhere.</summary>
    public string? LeaderAddress { get; private set; }

    /// <summary>Opens a stream and gives it its first credit.</summary>
    /// <exception cref="DledgerException">It was refused, or the node is not reachable.</exception>
    public static async Task<ConsumeStream> OpenAsync(
        NodeConnection node,
        ConsumeRequest first,
        string operation,
        long creditMax,
        TimeSpan patience,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var stream = new ConsumeStream(node, operation, creditMax);
        try
        {
            await stream.WriteAsync(first, cancellationToken).ConfigureAwait(false);
            var subscribed = await stream._subscribed.Task.WaitAsync(patience, time, cancellationToken).ConfigureAwait(false);
            if (ResponseStatus.Judge(subscribed.Status, operation) is { } failure)
            {
                throw failure;
            }

            stream.LeaderAddress = subscribed.LeaderAddress.Length > 0 ? subscribed.LeaderAddress : null;
            await stream.WriteAsync(
                new ConsumeRequest { Credit = new Credit { Bytes = creditMax } }, cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch (TimeoutException)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw new ClusterUnavailableException($"{operation}: no answer from {node.Address} in time.", "See who leads: dledger cluster status");
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The next delivery.</summary>
    /// <exception cref="DledgerException">The stream has ended; another one has to be opened.</exception>
    public async ValueTask<StreamDelivery> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            var delivery = await _deliveries.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            await PayAsync(delivery.Wire.Records.Length).ConfigureAwait(false);
            return delivery;
        }
        catch (ChannelClosedException closed)
        {
            throw closed.InnerException as DledgerException ?? Ended();
        }
    }

    /// <summary>Tells what was done with messages, and waits for the answer.</summary>
    /// <exception cref="DledgerException">It was refused, or the stream has ended: then it may be done.</exception>
    public async Task SettleAsync(Settle settle, CancellationToken cancellationToken)
    {
        settle.Number = (ulong)Interlocked.Increment(ref _lastNumber);
        var answer = new TaskCompletionSource<Apache.Rocketmq.V2.Status>(TaskCreationOptions.RunContinuationsAsynchronously);
        _settling[settle.Number] = answer;
        try
        {
            if (_reading.IsCompleted)
            {
                throw Ended();
            }

            await WriteAsync(new ConsumeRequest { Settle = settle }, cancellationToken).ConfigureAwait(false);
            var status = await answer.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (ResponseStatus.Judge(status, _operation) is { } failure)
            {
                throw failure;
            }
        }
        finally
        {
            _settling.TryRemove(settle.Number, out _);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        _call.Dispose();
        _stop.Dispose();
    }

    private ClusterUnavailableException Ended() => new($"{_operation}: {Node.Address} ended the stream.", "Open it again.");

    // Not for every delivery: half of the credit at a time.
    private async ValueTask PayAsync(int bytes)
    {
        var owed = Interlocked.Add(ref _owed, bytes);
        if (owed >= _creditMax / 2 && Interlocked.CompareExchange(ref _owed, 0, owed) == owed)
        {
            try
            {
                await WriteAsync(new ConsumeRequest { Credit = new Credit { Bytes = owed } }, CancellationToken.None).ConfigureAwait(false);
            }
            catch (DledgerException)
            {
                // The next receive tells that the stream has ended; this delivery is good.
            }
        }
    }

    private async Task WriteAsync(ConsumeRequest request, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _call.RequestStream.WriteAsync(request, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is RpcException or InvalidOperationException or OperationCanceledException or IOException)
        {
            throw fault is RpcException refusal ? CallFailure.Judge(refusal, _operation, Node.Address) : Ended();
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task ReadAsync()
    {
        DledgerException failure;
        try
        {
            while (await _call.ResponseStream.MoveNext(_stop.Token).ConfigureAwait(false))
            {
                Take(_call.ResponseStream.Current);
            }

            failure = Ended();
        }
        catch (DledgerException fault)
        {
            failure = fault;
        }
        catch (RpcException fault)
        {
            failure = CallFailure.Judge(fault, _operation, Node.Address);
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException or InvalidOperationException)
        {
            failure = Ended();
        }

        _deliveries.Writer.TryComplete(failure);
        _subscribed.TrySetException(failure);
        foreach (var answer in _settling.Values)
        {
            answer.TrySetException(failure);
        }
    }

    private void Take(ConsumeResponse response)
    {
        switch (response.ResponseCase)
        {
            case ConsumeResponse.ResponseOneofCase.Subscribed:
                _subscribed.TrySetResult(response.Subscribed);
                break;
            case ConsumeResponse.ResponseOneofCase.Delivery:
                _deliveries.Writer.TryWrite(StreamDelivery.Of(response.Delivery, _operation));
                break;
            case ConsumeResponse.ResponseOneofCase.Settled:
                if (_settling.TryGetValue(response.Settled.Number, out var answer))
                {
                    answer.TrySetResult(response.Settled.Status);
                }

                break;
        }
    }
}
