using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Producer.V1;

namespace Dledger.Client.Administration;

/// <summary>Looks at the producers that number their messages. Safe for any thread.</summary>
public sealed class ProducerClient(DledgerChannel channel)
{
    /// <summary>All that the cluster knows, unused for longest first.</summary>
    /// <exception cref="DledgerException">See the kinds.</exception>
    public Task<IReadOnlyList<ProducerDescription>> ListAsync(CancellationToken cancellationToken = default)
    {
        const string Operation = "Listing the producers";
        return channel.CallAsync<IReadOnlyList<ProducerDescription>>(
            Operation,
            async (node, options) =>
            {
                var answer = await node.Producers.ListProducersAsync(new ListProducersRequest(), options).ConfigureAwait(false);
                return ResponseStatus.Judge(answer.Status, Operation) is { } failure
                    ? throw failure
                    : [.. answer.Producers.Select(Describe)];
            },
            cancellationToken);
    }

    private static ProducerDescription Describe(Producer producer) => new(
        producer.ProducerId,
        producer.Name,
        producer.Epoch,
        producer.UsedAt.ToDateTimeOffset(),
        [.. producer.Topics.Select(topic => new ProducerProgress(topic.Topic, topic.LastSequence))]);
}
