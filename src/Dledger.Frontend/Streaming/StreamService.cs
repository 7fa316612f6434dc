using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging;
using Dledger.Protocol.Stream.V1;
using Grpc.Core;
using Service = Dledger.Protocol.Stream.V1.StreamService;

namespace Dledger.Frontend.Streaming;

/// <summary>Messages in bulk. Only dispatches.</summary>
public sealed class StreamService : Service.StreamServiceBase
{
    private readonly CallGuard _guard;
    private readonly ProduceStreamHandler _produce;

    internal StreamService(
        BrokerNode broker,
        FrontendOptions options,
        LeaderRouter router,
        CallGuard guard,
        Draining draining,
        TrafficMeter traffic,
        TimeProvider time)
    {
        _guard = guard;
        _produce = new ProduceStreamHandler(broker, new StreamGate(options, router, draining, time), traffic);
    }

    /// <inheritdoc/>
    public override Task Produce(
        IAsyncStreamReader<ProduceRequest> requestStream,
        IServerStreamWriter<ProduceResponse> responseStream,
        ServerCallContext context) =>
        _guard.RunStreamAsync(context, call => _produce.HandleAsync(call, requestStream, responseStream));
}
