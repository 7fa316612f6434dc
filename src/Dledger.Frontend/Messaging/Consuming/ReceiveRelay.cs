using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Consuming;

/// <summary>Lets the leader answer a receive and passes its frames on as they come.</summary>
internal sealed class ReceiveRelay(FrontendOptions options, LeaderRouter router)
{
    /// <summary>Null when an answer was written; else a failure of a call that has not begun, to be tried
    /// elsewhere.</summary>
    public async ValueTask<BrokerFailure?> RunAsync(
        ClientCall call,
        Wire.ReceiveMessageRequest request,
        NodeId leader,
        TimeSpan poll,
        ReceiveAnswer answer,
        CancellationToken cancellationToken)
    {
        request.LongPollingTimeout = Duration.FromTimeSpan(poll);
        var deadline = poll + options.LongPollMargin + options.CallTimeMax;
        if (call.Remaining is { } remaining && remaining - options.ReplyMargin < deadline)
        {
            deadline = remaining > options.ReplyMargin ? remaining - options.ReplyMargin : TimeSpan.Zero;
        }

        using var term = router.Follow(leader, cancellationToken);
        using var forwarded = router.Channels.Messaging(leader).ReceiveMessage(
            request, router.ForwardOptions(call, deadline, term.Token));
        try
        {
            while (await forwarded.ResponseStream.MoveNext(term.Token))
            {
                await answer.WriteRelayedAsync(forwarded.ResponseStream.Current, cancellationToken);
            }

            router.TellLeader(call, leader);
            return answer.IsBegun ? null : LeaderRouter.NoLeaderYet();
        }
        catch (RpcException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception exception) when (exception is RpcException || term.HasEnded)
        {
            var failure = term.HasEnded
                ? LeaderRouter.LostLeader(leader)
                : router.Describe("ReceiveMessage", leader, (RpcException)exception);
            if (!answer.IsBegun)
            {
                return failure;
            }

            // What has arrived is leased and good; the rest returns when its lease ends.
            await answer.WriteDeliveryTimeAsync(cancellationToken);
            return null;
        }
    }
}
