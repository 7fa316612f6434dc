using Dledger.Broker;
using Dledger.Broker.Idempotence;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Producer.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Service = Dledger.Protocol.Producer.V1.ProducerService;

namespace Dledger.Frontend.Producing;

/// <summary>Producers that number their messages. Any node answers and forwards to the leader.</summary>
public sealed class NumberedProducerService : Service.ProducerServiceBase
{
    private readonly BrokerNode _broker;
    private readonly LeaderRouter _router;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ProducerCall<InitProducerRequest, InitProducerResponse> _init;
    private readonly ProducerCall<ListProducersRequest, ListProducersResponse> _list;

    internal NumberedProducerService(BrokerNode broker, LeaderRouter router, TimeProvider time, ILogger logger)
    {
        _broker = broker;
        _router = router;
        _time = time;
        _logger = logger;
        _init = new("InitProducer", InitAsync, (c, r, o) => c.InitProducerAsync(r, o), s => new() { Status = s });
        _list = new("ListProducers", ListAsync, (c, r, o) => c.ListProducersAsync(r, o), s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<InitProducerResponse> InitProducer(InitProducerRequest request, ServerCallContext context) =>
        RunAsync(_init, request, context);

    /// <inheritdoc/>
    public override Task<ListProducersResponse> ListProducers(ListProducersRequest request, ServerCallContext context) =>
        RunAsync(_list, request, context);

    private async ValueTask<LocalOutcome<InitProducerResponse>> InitAsync(
        InitProducerRequest request, CancellationToken cancellationToken)
    {
        var producer = await _broker.InitProducerAsync(request.Name, cancellationToken);
        return producer.Failure is { } failure
            ? failure
            : new InitProducerResponse
            {
                Status = StatusMapping.AdminOk(),
                ProducerId = producer.ProducerId,
                Epoch = producer.Epoch,
            };
    }

    private async ValueTask<LocalOutcome<ListProducersResponse>> ListAsync(
        ListProducersRequest request, CancellationToken cancellationToken)
    {
        var (producers, failure) = await _broker.ListProducersAsync(cancellationToken);
        if (producers is null)
        {
            return failure!.Value;
        }

        var response = new ListProducersResponse { Status = StatusMapping.AdminOk() };
        response.Producers.AddRange(producers.Select(ToWire));
        return response;
    }

    private static Producer ToWire(ProducerDescription producer)
    {
        var wire = new Producer
        {
            ProducerId = producer.ProducerId,
            Name = producer.Name,
            Epoch = producer.Epoch,
            UsedAt = Timestamp.FromDateTime(
                DateTime.UnixEpoch.AddTicks(producer.UsedAtMicroseconds * TimeSpan.TicksPerMicrosecond)),
        };
        wire.Topics.AddRange(producer.Topics.Select(progress => new ProducerTopic
        {
            Topic = progress.Topic,
            LastSequence = progress.LastSequence,
        }));
        return wire;
    }

    private async Task<TResponse> RunAsync<TRequest, TResponse>(
        ProducerCall<TRequest, TResponse> handler, TRequest request, ServerCallContext context)
        where TRequest : class
        where TResponse : class
    {
        var call = new ClientCall(context, _time);
        try
        {
            return await _router.CallAsync(handler, call, request);
        }
        catch (Exception exception) when (
            exception is not RpcException && !call.CancellationToken.IsCancellationRequested)
        {
            FrontendEvents.CallFailed(_logger, exception, context.Method, call.ClientId);
            return handler.Refuse(request, new BrokerFailure(BrokerError.None, "the server failed; see its log"));
        }
    }
}
