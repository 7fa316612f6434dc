using Dledger.Broker;
using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;
using Dledger.Broker.Receiving;
using Dledger.Broker.Streaming;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Messaging;
using Dledger.Frontend.Messaging.Consuming;
using Dledger.Protocol.Stream.V1;
using Google.Protobuf;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Streaming;

/// <summary>One stream of deliveries on the leader. Owned by its call.</summary>
/// <remarks>
/// One task reads what the client says, one delivers while there is credit, and each settlement is answered when it is done. They share
/// the writer, one at a time.
/// </remarks>
internal sealed class ConsumeSession(
    BrokerNode broker,
    ClientCall call,
    IAsyncStreamReader<ConsumeRequest> requests,
    IServerStreamWriter<ConsumeResponse> responses,
    TrafficMeter traffic)
{
    private const int BatchCountDefault = 256;
    private const int ReadCountMax = 1_024;
    private const int DeliveryBytesMax = 1 << 20;
    private const int SettlementsMax = 64;

    private readonly StreamCredit _credit = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly SemaphoreSlim _settling = new(SettlementsMax);
    private RecordSlice _slice = new();
    private string _group = "";
    private string _topic = "";

    /// <summary>Returns when the client has closed its side.</summary>
    /// <exception cref="RpcException">This node leads no more, or the client broke the protocol.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (!await requests.MoveNext(cancellationToken))
        {
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var delivery = await BeginAsync(requests.Current, stop.Token);
        if (delivery is null)
        {
            return;
        }

        var delivering = DeliverAsync(delivery, stop);
        try
        {
            while (await requests.MoveNext(stop.Token))
            {
                await TakeAsync(requests.Current, stop);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await FinishAsync(delivering);
        }
    }

    // What fills the slice; null when it was refused, which the client has been told.
    private async Task<Func<long, CancellationToken, ValueTask<Filled>>?> BeginAsync(
        ConsumeRequest request, CancellationToken cancellationToken)
    {
        var (fill, status, topicId) = request.RequestCase switch
        {
            ConsumeRequest.RequestOneofCase.Subscribe => await SubscribeAsync(request.Subscribe, cancellationToken),
            ConsumeRequest.RequestOneofCase.Read => Read(request.Read),
            _ => throw Broken("the first request is neither 'subscribe' nor 'read'"),
        };
        await WriteAsync(
            new ConsumeResponse { Subscribed = new Subscribed { Status = status, TopicId = topicId } }, cancellationToken);
        return fill;
    }

    private async ValueTask<(Func<long, CancellationToken, ValueTask<Filled>>? Fill, Wire.Status Status, int TopicId)> SubscribeAsync(
        Subscribe subscribe, CancellationToken cancellationToken)
    {
        _group = NameOf(subscribe.Group);
        _topic = NameOf(subscribe.Topic);
        var read = new ReceiveRequest
        {
            Group = _group,
            Topic = _topic,
            BatchSize = subscribe.BatchCountMax == 0 ? BatchCountDefault : subscribe.BatchCountMax,
            InvisibleDuration = subscribe.InvisibleDuration is { } duration ? WireTime.ToTimeSpan(duration) : TimeSpan.Zero,
            LongPoll = Limits.LongPollMax,
            BatchSizeMax = Limits.StreamBatchMax,
            BytesMax = Limits.BatchRecordBytesMax,
            ReturnsRecords = true,
            Unpacks = StreamCompression.Of(subscribe.Compressions),
            ClientId = call.ClientId,
        };
        if (read.BatchSize is < 1 or > Limits.StreamBatchMax)
        {
            return (null, StatusMapping.Of(new Violation(
                BrokenRule.Batch,
                $"the field 'batch_count_max' is {read.BatchSize}; 0 to {Limits.StreamBatchMax} are allowed")), 0);
        }

        if ((CallRules.CheckTopicAndGroup(call, _topic, _group) ?? MessageRules.CheckReceiveInvisible(read.InvisibleDuration))
            is { } violation)
        {
            return (null, StatusMapping.Of(violation), 0);
        }

        if (ReceiveRules.TryReadFilter(subscribe.Filter, broker.Filters, out var filter) is { } badFilter)
        {
            return (null, badFilter, 0);
        }

        if ((await broker.FindOrCreateGroupAsync(_group, cancellationToken)).Failure is { } noGroup)
        {
            return (null, StatusMapping.Of(noGroup), 0);
        }

        if (broker.FindTopic(_topic) is not { } topic)
        {
            return (null, StatusMapping.Of(new BrokerFailure(
                BrokerError.TopicNotFound, $"there is no topic '{_topic}'")), 0);
        }

        read = read with { Filter = filter };
        return (
            async (_, token) =>
            {
                broker.ClientSeen(call.ClientId, _group);
                var outcome = await broker.ReceiveAsync(read, token);
                return Fill(outcome);
            },
            StatusMapping.Ok,
            topic.Id);
    }

    private Filled Fill(ReceiveOutcome outcome)
    {
        outcome.CopyTo(_slice);
        var deliveryId = outcome.Messages.Count == 0 ? 0 : outcome.Messages[0].DeliveryId;
        outcome.Return();
        return new Filled(outcome.Failure, deliveryId, 0, 0);
    }

    private (Func<long, CancellationToken, ValueTask<Filled>>? Fill, Wire.Status Status, int TopicId) Read(ReadQueue request)
    {
        _topic = NameOf(request.Topic);
        var group = NameOf(request.Group);
        var violation = CallRules.CheckTopic(call, _topic) ?? (group.Length == 0 ? null : Names.CheckGroup(group));
        if (violation is { } broken)
        {
            return (null, StatusMapping.Of(broken), 0);
        }

        if (ReceiveRules.TryReadFilter(request.Filter, broker.Filters, out var filter) is { } badFilter)
        {
            return (null, badFilter, 0);
        }

        if (broker.FindTopic(_topic) is not { } topic)
        {
            return (null, StatusMapping.Of(new BrokerFailure(
                BrokerError.TopicNotFound, $"there is no topic '{_topic}'")), 0);
        }

        if ((uint)request.QueueId >= (uint)topic.QueueCount && !topic.IsLite)
        {
            return (null, StatusMapping.Of(new Violation(
                BrokenRule.QueueId,
                $"the field 'queue_id' is {request.QueueId}; the topic has queues 0 to {topic.QueueCount - 1}")), 0);
        }

        _slice = new RecordSlice { Unpacks = StreamCompression.Of(request.Compressions) };
        var read = new PullRequest
        {
            Group = group,
            Topic = _topic,
            QueueId = request.QueueId,
            Offset = request.Offset,
            BatchSize = ReadCountMax,
            Filter = filter,
            LongPoll = Limits.LongPollMax,
            ClientId = call.ClientId,
        };
        return (
            async (credit, token) =>
            {
                var outcome = await broker.ReadAsync(read with { BytesMax = BytesOf(credit) }, _slice, token);
                read = read with { Offset = outcome.NextOffset ?? read.Offset };
                return new Filled(outcome.Failure, 0, outcome.NextOffset ?? read.Offset, outcome.EndOffset);
            },
            StatusMapping.Ok,
            topic.Id);
    }

    private async Task DeliverAsync(Func<long, CancellationToken, ValueTask<Filled>> fill, CancellationTokenSource stop)
    {
        try
        {
            while (true)
            {
                var credit = await _credit.WaitAsync(stop.Token);
                var filled = await fill(credit, stop.Token);
                if (filled.Failure is { } failure)
                {
                    if (StreamGate.IsOfPlace(failure) || !await MayGoOnAsync(failure, stop.Token))
                    {
                        throw StreamGate.IsOfPlace(failure) ? StreamGate.LeadsNoMore() : Refused(failure);
                    }

                    continue;
                }

                if (_slice.Places.Count == 0 && _group.Length > 0)
                {
                    continue;
                }

                _credit.Take(_slice.Length);
                traffic.Add(_slice.Places.Count);
                foreach (var delivery in ToWire(filled))
                {
                    await WriteAsync(new ConsumeResponse { Delivery = delivery }, stop.Token);
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
        }
    }

    // A quota or a cap holds the group: there will be more when it lets go.
    private static async ValueTask<bool> MayGoOnAsync(BrokerFailure failure, CancellationToken cancellationToken)
    {
        if (failure.Error is not (BrokerError.Busy or BrokerError.QuotaExceeded))
        {
            return false;
        }

        await Task.Delay(failure.RetryAfter > TimeSpan.Zero ? failure.RetryAfter : TimeSpan.FromMilliseconds(20), cancellationToken);
        return true;
    }

    // One for each part; where nothing matched, one that says where to read on.
    private IEnumerable<Delivery> ToWire(Filled filled)
    {
        var parts = _slice.Parts;
        if (parts.Count == 0)
        {
            yield return ToWire(filled, default, filled.NextOffset);
        }

        for (var i = 0; i < parts.Count; i++)
        {
            var next = i + 1 < parts.Count ? _slice.Places[parts[i + 1].FirstPlace].Offset.Value : filled.NextOffset;
            yield return ToWire(filled, parts[i], filled.DeliveryId != 0 ? 0 : next);
        }
    }

    private Delivery ToWire(Filled filled, SlicePart part, long nextOffset)
    {
        var delivery = new Delivery
        {
            DeliveryId = filled.DeliveryId,
            Records = UnsafeByteOperations.UnsafeWrap(_slice.Bytes.Slice(part.Start, part.Length)),
            NextOffset = nextOffset,
            EndOffset = filled.EndOffset,
            Compression = (Compression)(int)part.Compression,
            UncompressedSize = part.UncompressedSize,
            StoreTime = part.StoreTimeMicroseconds,
        };
        delivery.Positions.Capacity = part.PlaceCount;
        MessageSpan? span = null;
        for (var i = part.FirstPlace; i < part.FirstPlace + part.PlaceCount; i++)
        {
            var place = _slice.Places[i];
            delivery.Positions.Add(place.Position.Value);
            if (span is null
                || span.QueueId != place.QueueId
                || span.FirstOffset + span.Count != place.Offset.Value
                || span.Attempt != place.Attempt)
            {
                span = new MessageSpan { QueueId = place.QueueId, FirstOffset = place.Offset.Value, Attempt = place.Attempt };
                delivery.Spans.Add(span);
            }

            span.Count++;
        }

        return delivery;
    }

    private async Task TakeAsync(ConsumeRequest request, CancellationTokenSource stop)
    {
        switch (request.RequestCase)
        {
            case ConsumeRequest.RequestOneofCase.Credit:
                if (!_credit.TryAdd(request.Credit.Bytes))
                {
                    throw Broken($"the field 'credit.bytes' is {request.Credit.Bytes}; at least 1 is allowed, and not more than can be counted");
                }

                return;
            case ConsumeRequest.RequestOneofCase.Settle when _group.Length > 0:
                await _settling.WaitAsync(stop.Token);
                _ = SettleAsync(request.Settle, stop);
                return;
            case ConsumeRequest.RequestOneofCase.Settle:
                throw Broken("what is read from a queue is not settled");
            default:
                throw Broken("a request behind the first one holds neither 'credit' nor 'settle'");
        }
    }

    private async Task SettleAsync(Settle settle, CancellationTokenSource stop)
    {
        try
        {
            var status = await RunAsync(settle, stop.Token);
            await WriteAsync(
                new ConsumeResponse { Settled = new Settled { Number = settle.Number, Status = status } }, stop.Token);
        }
        catch (Exception fault) when (fault is OperationCanceledException or RpcException or InvalidOperationException or IOException)
        {
            // The stream is over; the client settles on another one, or the lease ends.
            await stop.CancelAsync();
        }
        finally
        {
            _settling.Release();
        }
    }

    private async ValueTask<Wire.Status> RunAsync(Settle settle, CancellationToken cancellationToken)
    {
        if (settle.Settlement == Protocol.Stream.V1.Settlement.Unspecified || !Enum.IsDefined(settle.Settlement))
        {
            return StatusMapping.Status(
                Wire.Code.BadRequest, $"the field 'settlement' is {(int)settle.Settlement}; 1 (ACK), 2 (RETRY), 3 (RENEW) exist");
        }

        broker.ClientSeen(call.ClientId, _group);
        var failure = await broker.SettleAsync(
            new SettleRequest
            {
                Group = _group,
                Topic = _topic,
                ClientId = call.ClientId,
                DeliveryId = settle.DeliveryId,
                Ranges = [.. settle.Spans.Select(span => new MessageRange(span.QueueId, span.FirstOffset, span.Count))],
                Settlement = settle.Settlement switch
                {
                    Protocol.Stream.V1.Settlement.Ack => Broker.Streaming.Settlement.Ack,
                    Protocol.Stream.V1.Settlement.Retry => Broker.Streaming.Settlement.Retry,
                    _ => Broker.Streaming.Settlement.Renew,
                },
                After = settle.After is { } after ? WireTime.ToTimeSpan(after) : TimeSpan.Zero,
            },
            cancellationToken);
        return failure is { } refused ? StatusMapping.Of(refused) : StatusMapping.Ok;
    }

    private async ValueTask WriteAsync(ConsumeResponse response, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            await responses.WriteAsync(response, cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }

    // The call may end only when nothing of it is at work; what went wrong in the delivery is told.
    private async Task FinishAsync(Task delivering)
    {
        for (var i = 0; i < SettlementsMax; i++)
        {
            await _settling.WaitAsync(CancellationToken.None);
        }

        try
        {
            await delivering;
        }
        catch (OperationCanceledException)
        {
            // Ended with the stream.
        }
    }

    private string NameOf(string name) => ResourceNames.Of(new Wire.Resource { Name = name }, call);

    private static int BytesOf(long credit) => (int)Math.Min(credit, DeliveryBytesMax);

    private static RpcException Broken(string detail) => new(new Status(StatusCode.InvalidArgument, detail));

    private static RpcException Refused(BrokerFailure failure) => new(new Status(
        StatusCode.InvalidArgument, $"{StatusMapping.CodeOf(failure)}: {failure.Detail}"));

    private readonly record struct Filled(BrokerFailure? Failure, long DeliveryId, long NextOffset, long EndOffset);
}
