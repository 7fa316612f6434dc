using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Messaging;
using Dledger.Protocol.Stream.V1;
using Grpc.Core;

namespace Dledger.Frontend.Streaming;

/// <summary>Takes batches of records for as long as the client likes.</summary>
internal sealed class ProduceStreamHandler(BrokerNode broker, StreamGate gate, TrafficMeter traffic)
{
    public Task HandleAsync(
        ClientCall call, IAsyncStreamReader<ProduceFrame> requests, IServerStreamWriter<ProduceResponse> responses) =>
        gate.RunAsync(
            call,
            new RelayedRequests(requests),
            responses,
            token => new ProduceSession(broker, call, requests, responses, traffic).RunAsync(token),
            static (channels, leader, options) => channels.Streams(leader).Produce(options),
            static (response, address) =>
            {
                if (response.Opened is { } opened)
                {
                    opened.LeaderAddress = address;
                }
            });
}
