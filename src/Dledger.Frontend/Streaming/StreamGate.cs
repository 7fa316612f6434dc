using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Grpc.Core;

namespace Dledger.Frontend.Streaming;

/// <summary>Brings streams to the leader, and ends them when another one leads or the node drains.</summary>
/// <remarks>
/// A stream stays with one leader: what a client sent and got no answer to may have been done, which only the client can sort out. So it
/// ends with UNAVAILABLE, and the client opens another one.
/// </remarks>
internal sealed class StreamGate(FrontendOptions options, LeaderRouter router, Draining draining, TimeProvider time)
{
    private const string Moved = "another node leads now, or none does; open the stream again";
    private const string Stopping = "the node is stopping; open the stream on another one";

    /// <summary>Runs a stream here when this node leads, else passes it on.</summary>
    /// <param name="call">Of the client.</param>
    /// <param name="requests">What it sends.</param>
    /// <param name="responses">What it gets.</param>
    /// <param name="here">The stream on the leader, until its token is cancelled.</param>
    /// <param name="forward">Opens the same stream on the leader.</param>
    /// <param name="mark">Puts the leader's address into a response that has a place for it.</param>
    public async Task RunAsync<TRequest, TResponse>(
        ClientCall call,
        IAsyncStreamReader<TRequest> requests,
        IServerStreamWriter<TResponse> responses,
        Func<CancellationToken, Task> here,
        Func<NodeChannels, NodeId, CallOptions, AsyncDuplexStreamingCall<TRequest, TResponse>> forward,
        Action<TResponse, string> mark)
    {
        if (CallRules.CheckClient(call) is { } violation)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"{StatusMapping.CodeOf(violation.Rule)}: {violation.Detail}"));
        }

        var leader = await FindLeaderAsync(call);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, draining.Token);
        using var term = router.Follow(leader, stop.Token);
        try
        {
            if (leader == options.Self)
            {
                await here(term.Token);
            }
            else
            {
                using var forwarded = forward(router.Channels, leader, router.ForwardOptions(call, null, term.Token));
                var address = router.Nodes.Find(leader)?.ClientAddress ?? "";
                await StreamRelay.RunAsync(requests, responses, forwarded, response => mark(response, address), term.Token);
            }
        }
        catch (Exception fault) when (
            fault is OperationCanceledException or RpcException { StatusCode: not StatusCode.InvalidArgument }
            && !call.CancellationToken.IsCancellationRequested)
        {
            throw new RpcException(new Status(
                StatusCode.Unavailable, draining.Token.IsCancellationRequested ? Stopping : Moved));
        }
    }

    /// <summary>What a stream ends with whose node leads no more.</summary>
    public static RpcException LeadsNoMore() => new(new Status(StatusCode.Unavailable, Moved));

    /// <summary>Whether a failure says that this node is not the one to ask.</summary>
    public static bool IsOfPlace(BrokerFailure? failure) =>
        failure?.Error is BrokerError.NotLeader or BrokerError.Unavailable or BrokerError.Stopping;

    private async Task<NodeId> FindLeaderAsync(ClientCall call)
    {
        var patience = Patience.Of(call, options, time);
        while (true)
        {
            switch (router.Locate(call, out var leader))
            {
                case LeaderPlace.Here:
                    return options.Self;
                case LeaderPlace.Elsewhere:
                    return leader;
                default:
                    if (!await router.PauseAsync(patience, call.CancellationToken))
                    {
                        throw new RpcException(new Status(StatusCode.Unavailable, LeaderRouter.NoLeaderYet().Detail));
                    }

                    break;
            }
        }
    }
}
