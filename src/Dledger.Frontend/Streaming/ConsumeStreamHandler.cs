using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Messaging;
using Dledger.Protocol.Stream.V1;
using Grpc.Core;

namespace Dledger.Frontend.Streaming;

/// <summary>Delivers messages of a group, or those of one queue, for as long as the client gives credit.</summary>
internal sealed class ConsumeStreamHandler(BrokerNode broker, StreamGate gate, TrafficMeter traffic)
{
    public Task HandleAsync(
        ClientCall call, IAsyncStreamReader<ConsumeRequest> requests, IServerStreamWriter<ConsumeResponse> responses) =>
        gate.RunAsync(
            call,
            requests,
            responses,
            token => new ConsumeSession(broker, call, requests, responses, traffic).RunAsync(token),
            static (channels, leader, options) => channels.Streams(leader).Consume(options),
            static (response, address) =>
            {
                if (response.Subscribed is { } subscribed)
                {
                    subscribed.LeaderAddress = address;
                }
            });
}
