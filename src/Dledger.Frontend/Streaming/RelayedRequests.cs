using Dledger.Protocol.Stream.V1;
using Grpc.Core;

namespace Dledger.Frontend.Streaming;

/// <summary>The requests of a producer for a relay: each is valid until the next one is asked for.</summary>
internal sealed class RelayedRequests(IAsyncStreamReader<ProduceFrame> frames) : IAsyncStreamReader<ProduceRequest>
{
    private ProduceFrame? _frame;

    public ProduceRequest Current { get; private set; } = new();

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        _frame?.Return();
        _frame = null;
        if (!await frames.MoveNext(cancellationToken))
        {
            return false;
        }

        _frame = frames.Current;
        Current = _frame.ToRequest();
        return true;
    }
}
