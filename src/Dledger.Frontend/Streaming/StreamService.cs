using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging;
using Dledger.Protocol.Stream.V1;
using Grpc.Core;
using Service = Dledger.Protocol.Stream.V1.StreamService;

namespace Dledger.Frontend.Streaming;

/// <summary>Messages in bulk. Only dispatches.</summary>
[BindServiceMethod(typeof(StreamBinding), nameof(StreamBinding.Bind))]
public sealed class StreamService : Service.StreamServiceBase
{
    private readonly CallGuard _guard;
    private readonly ProduceStreamHandler _produce;
    private readonly ConsumeStreamHandler _consume;

    internal StreamService(
        BrokerNode broker,
        FrontendOptions options,
        LeaderRouter router,
        CallGuard guard,
        Draining draining,
        TrafficMeter arriving,
        TrafficMeter leaving,
        TimeProvider time)
    {
        _guard = guard;
        var gate = new StreamGate(options, router, draining, time);
        _produce = new ProduceStreamHandler(broker, gate, arriving);
        _consume = new ConsumeStreamHandler(broker, gate, leaving);
    }

    /// <summary>Produce with requests whose records lie in rented memory: <see cref="StreamBinding"/>.</summary>
    public Task Produce(
        IAsyncStreamReader<ProduceFrame> requestStream,
        IServerStreamWriter<ProduceResponse> responseStream,
        ServerCallContext context) =>
        _guard.RunStreamAsync(context, call => _produce.HandleAsync(call, requestStream, responseStream));

    /// <inheritdoc/>
    public override Task Consume(
        IAsyncStreamReader<ConsumeRequest> requestStream,
        IServerStreamWriter<ConsumeResponse> responseStream,
        ServerCallContext context) =>
        _guard.RunStreamAsync(context, call => _consume.HandleAsync(call, requestStream, responseStream));
}
