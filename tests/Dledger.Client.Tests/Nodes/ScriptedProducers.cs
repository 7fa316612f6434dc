using System.Collections.Concurrent;
using Dledger.Protocol.Admin.V1;
using Dledger.Protocol.Producer.V1;
using Grpc.Core;

namespace Dledger.Client.Tests.Nodes;

/// <summary>Gives each producer the next number.</summary>
internal sealed class ScriptedProducers : ProducerService.ProducerServiceBase
{
    private int _count;

    /// <summary>The names that were asked for.</summary>
    public ConcurrentQueue<string> Names { get; } = new();

    public override Task<InitProducerResponse> InitProducer(InitProducerRequest request, ServerCallContext context)
    {
        Names.Enqueue(request.Name);
        return Task.FromResult(new InitProducerResponse
        {
            Status = new AdminStatus { Code = AdminCode.AdminOk },
            ProducerId = 100 + Interlocked.Increment(ref _count),
        });
    }
}
