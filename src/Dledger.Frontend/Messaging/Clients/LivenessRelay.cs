using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Clients;

/// <summary>Brings signs of life to the leader, which keeps the leases of living clients. Best effort.</summary>
/// <remarks>A sign that gets lost is no failure of the client: the next one comes within seconds, and leases outlast
/// many of them. So clients are answered OK either way, and never wait for an election.</remarks>
internal sealed class LivenessRelay(BrokerNode broker, LeaderRouter router)
{
    private static readonly TimeSpan ForwardTimeMax = TimeSpan.FromSeconds(2);

    /// <summary>Tells this broker when it leads, else the leader when there is one.</summary>
    public async Task TellAsync(
        ClientCall call,
        string method,
        Action<BrokerNode> here,
        Func<Wire.MessagingService.MessagingServiceClient, CallOptions, Task> elsewhere)
    {
        // Also on a follower: when it leads next, it already knows the clients that talk to it.
        here(broker);
        var status = broker.Status;
        if (status.IsServing || call.ForwardedBy is not null || router.Find(status.Leader) is null)
        {
            return;
        }

        try
        {
            var limit = call.Remaining is { } remaining && remaining / 2 < ForwardTimeMax
                ? remaining / 2
                : ForwardTimeMax;
            await elsewhere(
                router.Channels.Messaging(status.Leader),
                router.ForwardOptions(call, limit, call.CancellationToken));
        }
        catch (RpcException exception)
        {
            router.Describe(method, status.Leader, exception);
        }
    }
}
