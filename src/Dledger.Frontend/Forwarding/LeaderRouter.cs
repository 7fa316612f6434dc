using System.Globalization;
using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Nodes;
using Dledger.Primitives;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend.Forwarding;

/// <summary>Brings a call to the leader: here, or on one other node, waiting for an election where needed.</summary>
/// <remarks>
/// A call is tried until an answer exists or the caller's deadline is near. It is tried again only while nothing can
/// have happened, or when doing it twice is the same as doing it once. A call that another node passed on is never
/// passed on again: it is answered with <see cref="ClientHeaders.NotLeader"/>, and the first node looks anew. Safe for
/// any thread.
/// </remarks>
internal sealed class LeaderRouter(
    BrokerNode broker,
    FrontendOptions options,
    NodeDirectory nodes,
    NodeChannels channels,
    TimeProvider time,
    ILogger logger)
{
    /// <summary>Longest wait between two looks for a leader; a change of the leader ends it at once.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>How long a leader that another one has followed may take for answers that are on their way.</summary>
    private static readonly TimeSpan GraceOfOldLeader = TimeSpan.FromMilliseconds(50);

    private static readonly BrokerFailure Unconfirmed = new(
        BrokerError.OutcomeUnknown, "the cluster did not confirm in time; the request may still take effect");

    public NodeChannels Channels => channels;

    public NodeDirectory Nodes => nodes;

    /// <summary>The other node with this number, or null when there is none.</summary>
    public FrontendNode? Find(NodeId node) => node == options.Self ? null : nodes.Find(node);

    /// <summary>Runs the RPC on the leader and answers, in any case, before the caller's deadline.</summary>
    /// <exception cref="RpcException">The call was forwarded to this node, which does not lead.</exception>
    /// <exception cref="OperationCanceledException">The caller has gone.</exception>
    public Task<TResponse> CallAsync<TRequest, TResponse>(
        ILeaderHandler<TRequest, TResponse> handler, ClientCall call, TRequest request)
        where TRequest : class
        where TResponse : class
    {
        var patience = Patience.Of(call, options, time);
        return Locate(call, out _) == LeaderPlace.Here
            ? CallHereAsync(handler, call, request, patience)
            : CallAnywhereAsync(handler, call, request, patience, null);
    }

    /// <summary>Where the call has to go now.</summary>
    /// <exception cref="RpcException">The call was forwarded to this node, and another one leads or nobody
    /// does.</exception>
    public LeaderPlace Locate(ClientCall call, out NodeId leader)
    {
        var status = broker.Status;
        leader = status.Leader;
        if (status.IsServing)
        {
            return LeaderPlace.Here;
        }

        if (leader == status.Self)
        {
            // Elected, but still applying what its predecessors committed: soon it serves.
            return LeaderPlace.Unknown;
        }

        if (call.ForwardedBy is not null)
        {
            throw ForwardFaults.NotLeader(leader);
        }

        return Find(leader) is null ? LeaderPlace.Unknown : LeaderPlace.Elsewhere;
    }

    /// <summary>The leader answered a call that came here: the next ones may go there at once.</summary>
    public void TellLeader(ClientCall call, NodeId leader)
    {
        if (nodes.Find(leader) is { } node)
        {
            call.TellLeader(node.ClientAddress);
        }
    }

    /// <summary>Waits a moment for the cluster to change; false when there is no time left for another try.</summary>
    public async Task<bool> PauseAsync(Patience patience, CancellationToken cancellationToken)
    {
        if (patience.Remaining <= LookInterval)
        {
            return false;
        }

        try
        {
            await broker.LeadershipMoved.WaitAsync(LookInterval, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // A leader may be known and yet refuse: it serves soon.
        }

        return true;
    }

    /// <summary>The headers of the caller that matter to the leader, and the mark of a forwarded call.</summary>
    public CallOptions ForwardOptions(ClientCall call, TimeSpan? remaining, CancellationToken cancellationToken)
    {
        var headers = new Metadata
        {
            { ClientHeaders.Forwarded, options.Self.Value.ToString(CultureInfo.InvariantCulture) },
        };
        foreach (var header in call.Headers)
        {
            if (!header.IsBinary && ClientHeaders.Travels(header.Key))
            {
                headers.Add(header.Key, header.Value);
            }
        }

        DateTime? deadline = remaining is { } left ? time.GetUtcNow().UtcDateTime + left : null;
        return new CallOptions(headers, deadline, cancellationToken);
    }

    /// <summary>The failure of a forwarded call in the broker's words.</summary>
    public BrokerFailure Describe(string method, NodeId node, RpcException exception)
    {
        FrontendEvents.ForwardFailed(logger, method, node, exception.Status.Detail);
        return ForwardFaults.Of(exception) == ForwardFault.NotDone
            ? new BrokerFailure(BrokerError.NotLeader, $"node {node} does not lead or cannot be reached")
            : new BrokerFailure(
                BrokerError.OutcomeUnknown,
                $"node {node} leads but its answer was lost; the request may have taken effect");
    }

    /// <summary>Whether a failed call may be tried again on whoever leads next.</summary>
    public static bool MayRepeat(BrokerError error, bool isRepeatable) => error switch
    {
        BrokerError.NotLeader or BrokerError.Stopping or BrokerError.Unavailable => true,
        BrokerError.OutcomeUnknown => isRepeatable,
        _ => false,
    };

    /// <summary>
    /// What a caller is told at the end. "Nothing was done" is true of the last try only: when an earlier one may have had
    /// its effect, that is the answer. The refusal may even be a consequence of that effect: a handle is stale because the
    /// first try let its lease end.
    /// </summary>
    public static BrokerFailure RefusalOf(BrokerFailure last, BrokerFailure? unknown) => unknown ?? last;

    /// <summary>A token for the time for which a node leads.</summary>
    public LeaderTerm Follow(NodeId leader, CancellationToken cancellationToken) =>
        new(
            () => broker.Status.Leader,
            () => broker.LeadershipMoved,
            ended => Task.Delay(GraceOfOldLeader, time, ended),
            leader,
            cancellationToken);

    /// <summary>What is known of a call to a leader that another one has followed.</summary>
    public static BrokerFailure LostLeader(NodeId leader) => new(
        BrokerError.OutcomeUnknown,
        $"node {leader} leads no more and has not answered; the request may have taken effect");

    public static BrokerFailure NoLeaderYet() => new(
        BrokerError.Unavailable, "no node leads the cluster at the moment; nothing was done");

    // Nearly every call ends with its first try, which has nothing to remember.
    private async Task<TResponse> CallHereAsync<TRequest, TResponse>(
        ILeaderHandler<TRequest, TResponse> handler, ClientCall call, TRequest request, Patience patience)
        where TRequest : class
        where TResponse : class
    {
        using var limit = CallLimit.Of(patience, call.CancellationToken);
        LocalOutcome<TResponse> outcome;
        try
        {
            outcome = await handler.RunAsync(call, request, limit.Token);
        }
        catch (OperationCanceledException) when (IsOver(limit, call))
        {
            outcome = Unconfirmed;
        }

        return outcome.Failure is { } failure
            ? await CallAnywhereAsync(handler, call, request, patience, failure)
            : outcome.Response!;
    }

    /// <param name="handler">The RPC.</param>
    /// <param name="call">Who calls.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="patience">How long all tries may take together.</param>
    /// <param name="first">How a try of before ended; null: there was none.</param>
    private async Task<TResponse> CallAnywhereAsync<TRequest, TResponse>(
        ILeaderHandler<TRequest, TResponse> handler, ClientCall call, TRequest request, Patience patience, BrokerFailure? first)
        where TRequest : class
        where TResponse : class
    {
        using var limit = CallLimit.Of(patience, call.CancellationToken);
        BrokerFailure? unknown = null;
        for (var last = first; ; last = null)
        {
            if (last is not { } failure)
            {
                var outcome = await TryAsync(handler, call, request, patience, limit);
                if (outcome.Failure is null)
                {
                    return unknown is { } earlier && outcome.IsForwarded && handler.SaysNothingWasDone(outcome.Response!)
                        ? handler.Refuse(request, earlier)
                        : outcome.Response!;
                }

                failure = outcome.Failure.Value;
            }

            if (!MayRepeat(failure.Error, handler.IsRepeatable))
            {
                return handler.Refuse(request, RefusalOf(failure, unknown));
            }

            unknown = failure.Error == BrokerError.OutcomeUnknown ? failure : unknown;
            if (!await PauseAsync(patience, call.CancellationToken))
            {
                FrontendEvents.NoLeader(logger, handler.Method, patience.Elapsed);
                return handler.Refuse(request, RefusalOf(failure, unknown));
            }
        }
    }

    private async ValueTask<LocalOutcome<TResponse>> TryAsync<TRequest, TResponse>(
        ILeaderHandler<TRequest, TResponse> handler, ClientCall call, TRequest request, Patience patience, CallLimit limit)
        where TRequest : class
        where TResponse : class
    {
        switch (Locate(call, out var leader))
        {
            case LeaderPlace.Here:
                try
                {
                    return await handler.RunAsync(call, request, limit.Token);
                }
                catch (OperationCanceledException) when (IsOver(limit, call))
                {
                    return Unconfirmed;
                }

            case LeaderPlace.Elsewhere:
                return await ForwardAsync(handler, call, request, leader, patience) with { IsForwarded = true };
            default:
                return NoLeaderYet();
        }
    }

    private static bool IsOver(CallLimit limit, ClientCall call) =>
        limit.Token.IsCancellationRequested && !call.CancellationToken.IsCancellationRequested;

    private async Task<LocalOutcome<TResponse>> ForwardAsync<TRequest, TResponse>(
        ILeaderHandler<TRequest, TResponse> handler,
        ClientCall call,
        TRequest request,
        NodeId leader,
        Patience patience)
        where TRequest : class
        where TResponse : class
    {
        using var term = handler.MovesLeadership ? null : Follow(leader, call.CancellationToken);
        try
        {
            using var forwarded = handler.Forward(
                channels,
                leader,
                request,
                ForwardOptions(call, patience.Remaining, term?.Token ?? call.CancellationToken));
            var response = await forwarded.ResponseAsync;
            TellLeader(call, leader);
            return response;
        }
        catch (RpcException) when (term?.HasEnded == true)
        {
            return LostLeader(leader);
        }
        catch (RpcException exception) when (!call.CancellationToken.IsCancellationRequested)
        {
            return Describe(handler.Method, leader, exception);
        }
        catch (RpcException)
        {
            throw new OperationCanceledException(call.CancellationToken);
        }
    }
}
