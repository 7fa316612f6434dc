using Dledger.Broker;
using Dledger.Broker.Lites;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Lites;

/// <summary>Tells each new leader the sets of lite topics that this node has heard of, so that their clients need not wait for their
/// own repeat.</summary>
internal sealed class LiteReplay(
    BrokerNode broker, FrontendOptions options, LeaderRouter router, LiteClients clients, TimeProvider time, ILogger logger)
{
    private const int AtOnceMax = 16;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(2);

    /// <summary>Runs until it is stopped.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                // Taken before the look: a change in between completes it.
                var moved = broker.LeadershipMoved;
                if (await TellAllAsync(cancellationToken))
                {
                    await moved.WaitAsync(cancellationToken);
                }
                else
                {
                    await Task.WhenAny(moved, Task.Delay(Pause, time, cancellationToken)).WaitAsync(cancellationToken);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    // False when some could not be told, or nobody leads.
    private async Task<bool> TellAllAsync(CancellationToken cancellationToken)
    {
        var status = broker.Status;
        if (!status.IsServing && router.Find(status.Leader) is null)
        {
            return false;
        }

        var isDone = true;
        await Parallel.ForEachAsync(
            clients.Known,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnceMax, CancellationToken = cancellationToken },
            async (client, token) =>
            {
                if (!await TellAsync(status, client, token))
                {
                    Volatile.Write(ref isDone, false);
                }
            });
        return isDone;
    }

    private async Task<bool> TellAsync(BrokerStatus status, LiteClient client, CancellationToken cancellationToken)
    {
        var gate = clients.GateOf(client);
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (clients.NamesOf(client) is not { } names)
            {
                return true;
            }

            if (status.IsServing)
            {
                var sync = new LiteSync(client.Group, client.Topic, client.ClientId, LiteAction.CompleteAdd, names);
                return await broker.SyncLiteAsync(sync, cancellationToken) is not { Error: BrokerError.NotLeader };
            }

            var request = new Wire.SyncLiteSubscriptionRequest
            {
                Action = Wire.LiteSubscriptionAction.CompleteAdd,
                Topic = new Wire.Resource { Name = client.Topic },
                Group = new Wire.Resource { Name = client.Group },
            };
            request.LiteTopicSet.AddRange(names);
            var headers = new Metadata
            {
                { ClientHeaders.ClientId, client.ClientId },
                { ClientHeaders.Forwarded, options.Self.Value.ToString(System.Globalization.CultureInfo.InvariantCulture) },
            };
            var deadline = time.GetUtcNow().UtcDateTime + CallTime;
            await router.Channels.Messaging(status.Leader)
                .SyncLiteSubscriptionAsync(request, new CallOptions(headers, deadline, cancellationToken));
            return true;
        }
        catch (RpcException exception)
        {
            cancellationToken.ThrowIfCancellationRequested();
            FrontendEvents.LiteReplayFailed(logger, status.Leader, exception.Status.Detail);
            return false;
        }
        finally
        {
            gate.Release();
        }
    }
}
