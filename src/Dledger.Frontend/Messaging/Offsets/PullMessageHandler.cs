using Dledger.Broker;
using Dledger.Broker.Offsets;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging.Consuming;
using Dledger.Primitives;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Offsets;

/// <summary>Reads a queue by offset, waiting at its end as long as the client and its deadline allow.</summary>
/// <remarks>
/// Frames: a status, messages, next_offset. Nothing in time: MESSAGE_NOT_FOUND and next_offset. An offset that the queue does not
/// have: ILLEGAL_OFFSET and as next_offset the nearest one that it has.
/// </remarks>
internal sealed class PullMessageHandler(
    BrokerNode broker, FrontendOptions options, LeaderRouter router, Draining draining, TimeProvider time)
{
    public async Task HandleAsync(
        ClientCall call, Wire.PullMessageRequest request, IServerStreamWriter<Wire.PullMessageResponse> responses)
    {
        var answer = new PullAnswer(responses, options);
        if (TryRead(call, request, out var read) is { } refusal)
        {
            await answer.WriteStatusAsync(refusal, nextOffset: null);
            return;
        }

        var poll = LongPoll.TimeOf(call, request.LongPollingTimeout, options);
        var patience = Patience.Of(call, options, time, poll);
        var start = time.GetTimestamp();
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, draining.Token);
        try
        {
            while (true)
            {
                var left = poll - time.GetElapsedTime(start);
                left = left > TimeSpan.Zero ? left : TimeSpan.Zero;
                var failure = router.Locate(call, out var leader) switch
                {
                    LeaderPlace.Here => await PullHereAsync(
                        call, request, read with { LongPoll = left }, answer, stopped.Token),
                    LeaderPlace.Elsewhere => await RelayAsync(call, request, leader, left, answer, stopped.Token),
                    _ => LeaderRouter.NoLeaderYet(),
                };
                if (failure is not { } failed)
                {
                    return;
                }

                if (!LeaderRouter.MayRepeat(failed.Error, isRepeatable: true)
                    || !await router.PauseAsync(patience, stopped.Token))
                {
                    await answer.WriteStatusAsync(StatusMapping.Of(failed), nextOffset: null);
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (
            draining.Token.IsCancellationRequested
            && !call.CancellationToken.IsCancellationRequested
            && !answer.IsBegun)
        {
            // The client pulls again at once, and finds another node.
            await answer.WriteStatusAsync(NothingCame(), read.Offset);
        }
    }

    private static Wire.Status NothingCame() =>
        StatusMapping.Status(Wire.Code.MessageNotFound, "no message came while the call waited");

    private Wire.Status? TryRead(ClientCall call, Wire.PullMessageRequest request, out PullRequest read)
    {
        read = new PullRequest
        {
            Group = ResourceNames.Of(request.Group, call),
            Topic = ResourceNames.Of(request.MessageQueue?.Topic, call),
            QueueId = request.MessageQueue?.Id ?? 0,
            Offset = request.Offset,
            BatchSize = request.BatchSize,
            ClientId = call.ClientId,
        };
        if (QueueNames.Check(call, request.Group, request.MessageQueue, options) is { } refusal)
        {
            return refusal;
        }

        if (request.LongPollingTimeout is { } poll && WireTime.ToTimeSpan(poll) < TimeSpan.Zero)
        {
            return StatusMapping.Status(Wire.Code.IllegalPollingTime, "the field 'long_polling_timeout' is negative");
        }

        var status = ReceiveRules.TryReadFilter(request.FilterExpression, out var filter);
        read = read with { Filter = filter };
        return status;
    }

    private async ValueTask<BrokerFailure?> PullHereAsync(
        ClientCall call,
        Wire.PullMessageRequest request,
        PullRequest read,
        PullAnswer answer,
        CancellationToken cancellationToken)
    {
        var outcome = await broker.PullAsync(read, cancellationToken);
        if (outcome.Failure is { } failure)
        {
            if (outcome.NextOffset is not { } nearest)
            {
                return failure;
            }

            await answer.WriteStatusAsync(StatusMapping.Of(failure), nearest);
        }
        else if (outcome.Messages.Count == 0)
        {
            await answer.WriteStatusAsync(NothingCame(), outcome.NextOffset);
        }
        else
        {
            await answer.WriteMessagesAsync(
                outcome.Messages,
                request.MessageQueue.Topic,
                ResourceNames.NamespaceOf(request.MessageQueue.Topic, call),
                outcome.NextOffset ?? read.Offset,
                call.CancellationToken);
        }

        return null;
    }

    // Null when an answer was written; else a failure of a call that has not begun, to be tried elsewhere.
    private async ValueTask<BrokerFailure?> RelayAsync(
        ClientCall call,
        Wire.PullMessageRequest request,
        NodeId leader,
        TimeSpan poll,
        PullAnswer answer,
        CancellationToken cancellationToken)
    {
        request.LongPollingTimeout = Duration.FromTimeSpan(poll);
        var deadline = poll + options.LongPollMargin + options.CallTimeMax;
        if (call.Remaining is { } remaining && remaining - options.ReplyMargin < deadline)
        {
            deadline = remaining > options.ReplyMargin ? remaining - options.ReplyMargin : TimeSpan.Zero;
        }

        using var term = router.Follow(leader, cancellationToken);
        using var forwarded = router.Channels.Messaging(leader).PullMessage(
            request, router.ForwardOptions(call, deadline, term.Token));
        var next = request.Offset;
        try
        {
            while (await forwarded.ResponseStream.MoveNext(term.Token))
            {
                var frame = forwarded.ResponseStream.Current;
                await answer.WriteRelayedAsync(frame, cancellationToken);
                next = frame.Message?.SystemProperties.QueueOffset + 1 ?? next;
            }

            return answer.IsBegun ? null : LeaderRouter.NoLeaderYet();
        }
        catch (RpcException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception exception) when (exception is RpcException || term.HasEnded)
        {
            if (!answer.IsBegun)
            {
                return term.HasEnded
                    ? LeaderRouter.LostLeader(leader)
                    : router.Describe("PullMessage", leader, (RpcException)exception);
            }

            // What has arrived is good; the client reads on behind it.
            await answer.WriteRelayedAsync(new Wire.PullMessageResponse { NextOffset = next }, cancellationToken);
            return null;
        }
    }
}
