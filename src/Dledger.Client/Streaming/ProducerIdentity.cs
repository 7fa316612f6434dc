using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Producer.V1;

namespace Dledger.Client.Streaming;

/// <summary>The number by which the cluster knows a producer. Owned by its sender.</summary>
internal sealed class ProducerIdentity(DledgerChannel channel)
{
    private const string Operation = "Initialising a producer";

    /// <summary>0 without one.</summary>
    public long Id { get; private set; }

    public int Epoch { get; private set; }

    public async Task InitAsync(CancellationToken cancellationToken)
    {
        var answer = await channel.CallAsync(
            Operation,
            async (node, options) =>
            {
                var response = await node.Producers.InitProducerAsync(new InitProducerRequest(), options).ConfigureAwait(false);
                return ResponseStatus.Judge(response.Status, Operation) is { } failure ? throw failure : response;
            },
            cancellationToken).ConfigureAwait(false);
        (Id, Epoch) = (answer.ProducerId, answer.Epoch);
    }

    /// <summary>The next batch begins as a new producer.</summary>
    public void Reset() => Id = 0;
}
