using System.Threading.Channels;
using Dledger.Broker;
using Dledger.Broker.Streaming;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Messaging;
using Dledger.Protocol.Stream.V1;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Streaming;

/// <summary>One stream of batches on the leader. Owned by its call.</summary>
/// <remarks>
/// One task reads and proposes, in the order in which batches come, and never waits for what it proposed but to keep the bounds; another
/// one answers in the same order, all that is settled with one message. Nothing is read beyond the bounds, so that the client's own flow
/// control holds it.
/// </remarks>
internal sealed class ProduceSession(
    BrokerNode broker,
    ClientCall call,
    IAsyncStreamReader<ProduceFrame> requests,
    IServerStreamWriter<ProduceResponse> responses,
    TrafficMeter traffic)
{
    private const int BatchesInFlightMax = 64;
    private const long BytesInFlightMax = 32 << 20;
    private const uint HandleMax = 4_095;
    private const int ResultsPerAnswerMax = 256;

    private readonly Dictionary<uint, string> _topics = [];
    private readonly Queue<(Task<BatchOutcome> Outcome, int Bytes)> _inFlight = new();
    private readonly Channel<PendingAnswer> _answers = Channel.CreateUnbounded<PendingAnswer>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private long _bytesInFlight;

    /// <summary>Returns when the client has sent its last batch and has all answers.</summary>
    /// <exception cref="RpcException">This node leads no more.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var answering = AnswerAsync(stop);
        try
        {
            while (await requests.MoveNext(stop.Token))
            {
                await TakeAsync(requests.Current, stop.Token);
            }
        }
        finally
        {
            _answers.Writer.Complete();
            await answering;
        }
    }

    private Task TakeAsync(ProduceFrame request, CancellationToken cancellationToken)
    {
        switch (request.Case)
        {
            case ProduceRequest.RequestOneofCase.Open:
                return OpenAsync(request.Open!, cancellationToken);
            case ProduceRequest.RequestOneofCase.Batch:
                return StoreAsync(request, cancellationToken);
            default:
                throw new RpcException(new Status(StatusCode.InvalidArgument, "a request holds neither 'open' nor 'batch'"));
        }
    }

    private async Task OpenAsync(OpenTopic open, CancellationToken cancellationToken)
    {
        if (open.Handle > HandleMax)
        {
            throw new RpcException(new Status(
                StatusCode.InvalidArgument, $"the field 'open.handle' is {open.Handle}; 0 to {HandleMax} are allowed"));
        }

        var name = ResourceNames.Of(new Wire.Resource { Name = open.Topic }, call);
        var (topic, failure) = await broker.FindOrCreateTopicAsync(name, cancellationToken);
        var opened = new TopicOpened { Handle = open.Handle, Status = StatusMapping.Ok };
        if (topic is null)
        {
            opened.Status = StatusMapping.Of(failure!.Value);
            _topics.Remove(open.Handle);
        }
        else
        {
            opened.TopicId = topic.Id;
            opened.QueueCount = topic.QueueCount;
            opened.AcceptMessageTypes.AddRange(topic.AcceptedTypes.ToList().Select(type => (Wire.MessageType)(int)type));
            opened.WantsIdHash = topic.IdWindow.IsOn;
            opened.ServerChoosesQueue = !StreamedTopic.TakesRecords(topic);
            opened.BatchesInFlightMax = BatchesInFlightMax;
            opened.BytesInFlightMax = BytesInFlightMax;
            opened.Compressions.AddRange(StreamCompression.All);
            _topics[open.Handle] = name;
        }

        _answers.Writer.TryWrite(new PendingAnswer(opened, null, null, failure));
    }

    private async Task StoreAsync(ProduceFrame batch, CancellationToken cancellationToken)
    {
        if (!_topics.TryGetValue(batch.Handle, out var topic))
        {
            Answer(batch, Task.FromResult(BatchOutcome.Of(new BrokerFailure(
                BrokerError.TopicNotFound, $"no topic is open by the handle {batch.Handle}"))));
            return;
        }

        while (_inFlight.Count >= BatchesInFlightMax || (_bytesInFlight > 0 && _bytesInFlight + batch.Bytes > BytesInFlightMax))
        {
            await OldestAsync();
        }

        while (true)
        {
            var outcome = AppendAsync(topic, batch, cancellationToken).AsTask();
            if (outcome.IsCompletedSuccessfully && (await outcome).Failure?.Error == BrokerError.Busy && _inFlight.Count > 0)
            {
                // The log takes no more at present: what was taken before makes room.
                await OldestAsync();
                continue;
            }

            Answer(batch, outcome);
            return;
        }
    }

    private ValueTask<BatchOutcome> AppendAsync(string topic, ProduceFrame batch, CancellationToken cancellationToken) =>
        batch.Compression == Compression.None
            ? broker.AppendAsync(topic, batch.Records, batch.Count, call.ClientId, cancellationToken)
            : broker.AppendAsync(
                topic,
                new CompressedBatch((Primitives.Compression)(int)batch.Compression, batch.Records, batch.UncompressedSize),
                batch.Count,
                call.ClientId,
                cancellationToken);

    private void Answer(ProduceFrame batch, Task<BatchOutcome> outcome)
    {
        _inFlight.Enqueue((outcome, batch.Bytes));
        _bytesInFlight += batch.Bytes;
        _answers.Writer.TryWrite(new PendingAnswer(null, batch, outcome, null));
    }

    private async Task OldestAsync()
    {
        var (outcome, bytes) = _inFlight.Dequeue();
        _bytesInFlight -= bytes;
        await outcome;
    }

    private async Task AnswerAsync(CancellationTokenSource stop)
    {
        try
        {
            while (await _answers.Reader.WaitToReadAsync())
            {
                while (_answers.Reader.TryRead(out var pending))
                {
                    var response = new ProduceResponse();
                    var isLost = await AddAsync(response, pending);
                    while (response.Results.Count < ResultsPerAnswerMax
                        && _answers.Reader.TryPeek(out var next)
                        && next.Outcome is { IsCompleted: true })
                    {
                        _answers.Reader.TryRead(out pending);
                        isLost |= await AddAsync(response, pending);
                    }

                    await responses.WriteAsync(response, stop.Token);
                    if (isLost)
                    {
                        throw StreamGate.LeadsNoMore();
                    }
                }
            }
        }
        finally
        {
            // Whatever ended the answers ends the reading.
            await stop.CancelAsync();
        }
    }

    // True when the node is not the one to ask any more.
    private async ValueTask<bool> AddAsync(ProduceResponse response, PendingAnswer pending)
    {
        if (pending.Batch is not { } batch)
        {
            response.Opened = pending.Opened;
            return StreamGate.IsOfPlace(pending.Failure);
        }

        // Given up for a cancelled call, the records may still be on their way into the log: then they are not returned.
        var outcome = await pending.Outcome!;
        batch.Return();
        response.Results.Add(BatchAnswer.Of(batch.Number, outcome));
        if (outcome.Failure is null)
        {
            traffic.Add(batch.Count);
        }

        return StreamGate.IsOfPlace(outcome.Failure);
    }

    private readonly record struct PendingAnswer(
        TopicOpened? Opened, ProduceFrame? Batch, Task<BatchOutcome>? Outcome, BrokerFailure? Failure);
}
