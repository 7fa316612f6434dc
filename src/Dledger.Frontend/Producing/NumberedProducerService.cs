using Dledger.Broker;
using Dledger.Broker.Idempotence;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Producer.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Service = Dledger.Protocol.Producer.V1.ProducerService;

namespace Dledger.Frontend.Producing;

/// <summary>Producers that number their messages. Any node answers and forwards to the leader.</summary>
public sealed class NumberedProducerService : Service.ProducerServiceBase
{
    private readonly BrokerNode _broker;
    private readonly CallGuard _guard;
    private readonly LeaderCall<InitProducerRequest, InitProducerResponse> _init;
    private readonly LeaderCall<ListProducersRequest, ListProducersResponse> _list;

    internal NumberedProducerService(BrokerNode broker, CallGuard guard)
    {
        _broker = broker;
        _guard = guard;

        // A producer that was made and not answered is used by nobody and forgotten in time.
        _init = new("InitProducer", true, InitAsync, (c, n, r, o) => c.NumberedProducers(n).InitProducerAsync(r, o), s => new() { Status = s });
        _list = new("ListProducers", true, ListAsync, (c, n, r, o) => c.NumberedProducers(n).ListProducersAsync(r, o), s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<InitProducerResponse> InitProducer(InitProducerRequest request, ServerCallContext context) =>
        _guard.RunAsync(_init, request, context);

    /// <inheritdoc/>
    public override Task<ListProducersResponse> ListProducers(ListProducersRequest request, ServerCallContext context) =>
        _guard.RunAsync(_list, request, context);

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
}
