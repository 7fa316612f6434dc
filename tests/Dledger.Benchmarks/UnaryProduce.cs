using System.Diagnostics;
using Apache.Rocketmq.V2;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dledger.Benchmarks;

/// <summary>Closed-loop unary <c>SendMessage</c>: a fixed number of calls in flight, each worker waiting for its answer.</summary>
internal sealed class UnaryProduce(string address, int bodyBytes)
{
    private const string Topic = "bench-unary";

    /// <summary>One measured run.</summary>
    /// <param name="InFlight">Calls in flight.</param>
    /// <param name="MessagesPerSecond">Acknowledged messages a second.</param>
    /// <param name="P50Milliseconds">Median latency.</param>
    /// <param name="P99Milliseconds">Latency that 99 of 100 calls did not exceed.</param>
    /// <param name="Failed">Calls that were not answered with OK.</param>
    internal sealed record Result(
        int InFlight, double MessagesPerSecond, double P50Milliseconds, double P99Milliseconds, long Failed);

    public async Task<Result> RunAsync(int inFlight, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var channel = GrpcChannel.ForAddress(address);
        var client = new MessagingService.MessagingServiceClient(channel);
        var headers = new Metadata { { "x-mq-client-id", $"bench-{Environment.ProcessId}" } };
        var body = UnsafeByteOperations.UnsafeWrap(new byte[bodyBytes]);
        var recorders = Enumerable.Range(0, inFlight).Select(_ => new LatencyRecorder()).ToArray();
        var failed = 0L;
        var clock = Stopwatch.StartNew();

        async Task Work(int worker)
        {
            for (var sequence = 0; clock.Elapsed < duration; sequence++)
            {
                var request = new SendMessageRequest { Messages = { NewMessage(body, worker, sequence) } };
                var begin = clock.Elapsed;
                var response = await client.SendMessageAsync(request, headers, cancellationToken: cancellationToken);
                if (response.Status.Code == Code.Ok)
                {
                    recorders[worker].Record(clock.Elapsed - begin);
                }
                else
                {
                    Interlocked.Increment(ref failed);
                }
            }
        }

        await Task.WhenAll(Enumerable.Range(0, inFlight).Select(worker => Task.Run(() => Work(worker), cancellationToken)));
        var elapsed = clock.Elapsed;
        var latencies = LatencyRecorder.Merge(recorders);
        return new Result(
            inFlight,
            latencies.Length / elapsed.TotalSeconds,
            LatencyRecorder.Percentile(latencies, 0.5),
            LatencyRecorder.Percentile(latencies, 0.99),
            failed);
    }

    private static Message NewMessage(ByteString body, int worker, int sequence) => new()
    {
        Topic = new Resource { Name = Topic },
        Body = body,
        SystemProperties = new SystemProperties
        {
            MessageId = $"{worker:X8}{sequence:X8}",
            MessageType = MessageType.Normal,
            BodyEncoding = Encoding.Identity,
            BornTimestamp = Timestamp.FromDateTime(DateTime.UtcNow),
        },
    };
}
