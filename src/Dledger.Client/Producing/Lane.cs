using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Producer.V1;
using Grpc.Core;

namespace Dledger.Client.Producing;

/// <summary>
/// One producer as the cluster knows it: sends one batch after another, each with the next numbers. Used by one send at a time.
/// </summary>
/// <remarks>
/// Calls on one connection may overtake each other, so batches in flight at the same time have lanes of their own: within a lane
/// nothing can overtake, and a refused batch leaves no gap. A lane whose last batch has an unknown fate is given up: its numbers
/// may be taken, and the next message must not be mistaken for a repeat.
/// </remarks>
internal sealed class Lane(DledgerChannel channel, string name)
{
    private readonly Dictionary<string, int> _last = new(StringComparer.Ordinal);
    private long _producerId;
    private int _epoch;

    /// <summary>Makes the cluster know the lane; false when it does not offer that.</summary>
    public async Task<bool> TryOpenAsync(string operation, string topic, int count, CancellationToken cancellationToken)
    {
        if (_producerId != 0 && _last.GetValueOrDefault(topic) < int.MaxValue - count - 1)
        {
            return true;
        }

        Reset();
        try
        {
            await channel.CallAsync(
                operation,
                async (node, options) =>
                {
                    var answer = await node.Producers
                        .InitProducerAsync(new InitProducerRequest { Name = name }, options)
                        .ConfigureAwait(false);
                    if (ResponseStatus.Judge(answer.Status, operation) is { } failure)
                    {
                        throw failure;
                    }

                    (_producerId, _epoch) = (answer.ProducerId, answer.Epoch);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (RequestRefusedException refusal) when (refusal.Code == nameof(StatusCode.Unimplemented))
        {
            return false;
        }
    }

    /// <summary>Says in the headers of a call which numbers its messages have.</summary>
    public void Number(Metadata headers, string topic)
    {
        headers.Add("x-dledger-producer-id", Text(_producerId));
        headers.Add("x-dledger-producer-epoch", Text(_epoch));
        headers.Add("x-dledger-sequence", Text(_last.GetValueOrDefault(topic) + 1));
    }

    /// <summary>A batch is stored: its numbers are taken.</summary>
    public void Advance(string topic, int count) => _last[topic] = _last.GetValueOrDefault(topic) + count;

    /// <summary>The next batch begins as a new producer.</summary>
    public void Reset()
    {
        _producerId = 0;
        _epoch = 0;
        _last.Clear();
    }

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
