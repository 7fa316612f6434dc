using System.Collections.Concurrent;
using Apache.Rocketmq.V2;
using Dledger.Protocol.Stream.V1;
using Grpc.Core;
using Status = Apache.Rocketmq.V2.Status;

namespace Dledger.Client.Tests.Nodes;

/// <summary>Opens topics and takes batches as a test tells it; without a script all is well.</summary>
internal sealed class ScriptedStreams : StreamService.StreamServiceBase
{
    /// <summary>How the next topics are opened, one after the other.</summary>
    public ConcurrentQueue<ScriptedAnswer> Openings { get; } = new();

    /// <summary>How the next batches are answered, one after the other.</summary>
    public ConcurrentQueue<ScriptedAnswer> Answers { get; } = new();

    /// <summary>How many batches came.</summary>
    public int BatchCount { get; private set; }

    public override async Task Produce(
        IAsyncStreamReader<ProduceRequest> requestStream, IServerStreamWriter<ProduceResponse> responseStream, ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            if (Answer(requestStream.Current) is { } response)
            {
                await responseStream.WriteAsync(response);
            }
        }
    }

    private ProduceResponse? Answer(ProduceRequest request)
    {
        if (request.Open is { } open)
        {
            return Next(Openings) is { } opened
                ? new ProduceResponse
                {
                    Opened = new TopicOpened { Handle = open.Handle, Status = opened, TopicId = 1, QueueCount = 1, BatchesInFlightMax = 4 },
                }
                : null;
        }

        BatchCount++;
        return Next(Answers) is { } status
            ? new ProduceResponse { Results = { new BatchResult { Number = request.Batch.Number, Status = status } } }
            : null;
    }

    // Null: the request is not answered. The last answer of a script stays.
    private static Status? Next(ConcurrentQueue<ScriptedAnswer> script)
    {
        var answer = script.TryPeek(out var next) ? next : new ScriptedAnswer(Code.Ok);
        if (!answer.IsForEver)
        {
            script.TryDequeue(out _);
        }

        return answer.Code is { } code ? new Status { Code = code, Message = "scripted" } : null;
    }
}

/// <summary>One answer, or all from then on.</summary>
/// <param name="Code">Null: none.</param>
/// <param name="IsForEver">Not only once.</param>
internal readonly record struct ScriptedAnswer(Code? Code, bool IsForEver = false);
