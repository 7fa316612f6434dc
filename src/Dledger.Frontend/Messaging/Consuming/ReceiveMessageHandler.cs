using Dledger.Broker;
using Dledger.Broker.Receiving;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Consuming;

/// <summary>Leases messages to a consumer, waiting for the first one as long as the client and its deadline
/// allow.</summary>
/// <remarks>
/// Every queue of the topic is read, whatever id was asked: some clients only ever name queue 0. The wait ends before
/// the deadline, so that an empty poll is an answer and not an error. A poll that is cancelled while it waits has
/// leased nothing.
/// </remarks>
internal sealed class ReceiveMessageHandler(
    BrokerNode broker,
    FrontendOptions options,
    LeaderRouter router,
    ReceiveRelay relay,
    Draining draining,
    TimeProvider time)
{
    public async Task HandleAsync(
        ClientCall call, Wire.ReceiveMessageRequest request, IServerStreamWriter<ReceiveFrame> responses)
    {
        var answer = new ReceiveAnswer(responses, options, time);
        if (ReceiveRules.TryRead(call, request, options, broker.Filters, out var read) is { } refusal)
        {
            await answer.WriteStatusAsync(refusal);
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
                    LeaderPlace.Here => await ReceiveHereAsync(
                        call, request, read with { LongPoll = left, ReturnsRecords = true }, answer, stopped.Token),
                    LeaderPlace.Elsewhere => await relay.RunAsync(call, request, leader, left, answer, stopped.Token),
                    _ => LeaderRouter.NoLeaderYet(),
                };
                if (failure is not { } failed)
                {
                    return;
                }

                if (!LeaderRouter.MayRepeat(failed.Error, isRepeatable: true)
                    || !await router.PauseAsync(patience, stopped.Token))
                {
                    await answer.WriteStatusAsync(StatusMapping.Of(failed));
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (
            draining.Token.IsCancellationRequested
            && !call.CancellationToken.IsCancellationRequested
            && !answer.IsBegun)
        {
            // The client polls again at once, and finds another node.
            await answer.WriteEmptyAsync();
        }
    }

    private async ValueTask<BrokerFailure?> ReceiveHereAsync(
        ClientCall call,
        Wire.ReceiveMessageRequest request,
        ReceiveRequest read,
        ReceiveAnswer answer,
        CancellationToken cancellationToken)
    {
        if (broker.FindGroup(read.Group) is null
            && (await broker.FindOrCreateGroupAsync(read.Group, cancellationToken)).Failure is { } noGroup)
        {
            return noGroup;
        }

        broker.ClientSeen(call.ClientId, read.Group);
        var outcome = await broker.ReceiveAsync(read, cancellationToken);
        if (!outcome.Succeeded)
        {
            return outcome.Failure;
        }

        if (outcome.Messages.Count == 0)
        {
            await answer.WriteEmptyAsync(outcome.Warning);
            return null;
        }

        try
        {
            await answer.WriteMessagesAsync(
                outcome.Messages,
                request.MessageQueue.Topic,
                ResourceNames.NamespaceOf(request.MessageQueue.Topic, call),
                outcome.Warning,
                call.CancellationToken);
        }
        catch (Exception)
        {
            await ReturnAsync(read, outcome.Messages);
            throw;
        }
        finally
        {
            outcome.Return();
        }

        return null;
    }

    /// <summary>Gives back what could not be delivered, so that nobody waits for the lease to end.</summary>
    private async Task ReturnAsync(ReceiveRequest read, IReadOnlyList<Broker.Messages.DeliveredMessage> messages)
    {
        using var limit = new CancellationTokenSource(options.CallTimeMax, time);
        foreach (var message in messages)
        {
            try
            {
                await broker.ChangeInvisibleAsync(
                    read.Group, read.Topic, message.ReceiptHandle, TimeSpan.Zero, suspend: true, limit.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
