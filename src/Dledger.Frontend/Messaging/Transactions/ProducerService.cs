using System.Collections.Concurrent;
using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Node.V1;
using Grpc.Core;

namespace Dledger.Frontend.Messaging.Transactions;

/// <summary>The leader's end of what other nodes tell about their producers.</summary>
public sealed class ProducerService : Protocol.Node.V1.ProducerService.ProducerServiceBase
{
    /// <summary>Nodes above it are refused: a cluster has fewer.</summary>
    private const int NodesMax = 256;

    private readonly BrokerNode _broker;
    private readonly Draining _draining;
    private readonly ConcurrentDictionary<WatchingNode, bool> _nodes = new();

    internal ProducerService(BrokerNode broker, Draining draining) => (_broker, _draining) = (broker, draining);

    /// <summary>The nodes that watch now.</summary>
    internal ICollection<WatchingNode> Nodes => _nodes.Keys;

    /// <inheritdoc/>
    public override async Task Watch(
        IAsyncStreamReader<NodeProducers> requestStream,
        IServerStreamWriter<ProducerQuestion> responseStream,
        ServerCallContext context)
    {
        if (!_broker.Status.IsServing)
        {
            throw ForwardFaults.NotLeader(_broker.Status.Leader);
        }

        if (_nodes.Count >= NodesMax)
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, $"{NodesMax} nodes watch already"));
        }

        await context.WriteResponseHeadersAsync([]);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, _draining.Token);
        var node = new WatchingNode();
        _nodes.TryAdd(node, true);
        var writing = WriteAsync(node, responseStream, stop.Token);
        try
        {
            while (await requestStream.MoveNext(stop.Token))
            {
                node.Tell(requestStream.Current);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The node has gone, or this one stops.
        }
        finally
        {
            _nodes.TryRemove(node, out _);
            await stop.CancelAsync();
            await writing;
        }
    }

    private static async Task WriteAsync(
        WatchingNode node, IServerStreamWriter<ProducerQuestion> responses, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var question in node.Waiting.ReadAllAsync(cancellationToken))
            {
                await responses.WriteAsync(question, cancellationToken);
            }
        }
        catch (Exception exception) when (exception
            is OperationCanceledException or RpcException or InvalidOperationException or IOException)
        {
            // The stream has ended; whoever reads it notices by itself.
        }
    }
}
