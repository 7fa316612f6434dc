using Dledger.Broker.Commands;
using Dledger.Broker.Lookups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Broker.Replays;
using Dledger.Broker.StateMachine;
using Dledger.Storage.Records;

namespace Dledger.Broker.Letters;

/// <summary>
/// Has the message of one dead letter wait again for the group that gave it up, and for nobody else. Any thread, on the leader; what it
/// finds apply checks again.
/// </summary>
internal sealed class LetterReplay(BrokerCalls calls, LetterReference letter, PlacedRecord placed)
{
    private const string Instead = "leave --to-group out to send a copy to its topic";

    /// <summary>Null when it waits again, or would.</summary>
    public async ValueTask<BrokerFailure?> RunAsync(bool isDryRun, CancellationToken cancellationToken)
    {
        if (ReadOrigin() is not { } origin)
        {
            return new BrokerFailure(BrokerError.MessageNotFound, "the record is no dead letter");
        }

        var (command, failure) = await calls.LookAsync<(ReplayCommand?, BrokerFailure?)>(
            state => Look(state, origin), static refused => (null, refused), cancellationToken);
        if (command is null || isDryRun)
        {
            return failure;
        }

        var applied = await calls.ProposeRecordsAsync(
            ControlRecord.Encode(RecordKind.Replay, command.Encode()),
            1,
            static refused => new ReplayApplied(refused, 0, 0),
            cancellationToken);
        return applied.Failure;
    }

    private ForwardReference? ReadOrigin()
    {
        RecordView.TryParseUnchecked(placed.Bytes, out var record, out _);
        return RecordCopy.TryFind(record, PropertyKind.ForwardReference, out var content) ? ForwardReference.Decode(content) : null;
    }

    // On the apply loop: where the message stands for the group that gave it up.
    private (ReplayCommand? Command, BrokerFailure? Failure) Look(BrokerState state, ForwardReference origin)
    {
        var (queueId, offset) = (origin.Delivery.QueueId, origin.Delivery.Offset);
        if (state.FindSubscription(origin.GroupId, origin.TopicId) is not { } subscription
            || queueId >= subscription.Cursors.Count)
        {
            return (null, new BrokerFailure(
                BrokerError.GroupNotFound,
                $"the group that gave it up does not read its topic any more, or one of them was deleted meanwhile: {Instead}"));
        }

        var queue = subscription.Topic.Queues[queueId];
        if (offset < queue.Min || offset >= queue.Max)
        {
            return (null, new BrokerFailure(
                BrokerError.MessageNotFound,
                $"the message of the letter, offset {offset} of queue {queueId} of topic '{subscription.Topic.View.Name}', was given up by "
                    + $"retention or a purge: {Instead}"));
        }

        var cursor = subscription.Cursors[queueId];
        if (!cursor.IsFinished(offset))
        {
            return (null, new BrokerFailure(
                BrokerError.AlreadyExists,
                $"the group has the message of the letter again already, at offset {offset} of queue {queueId}: it is not finished"));
        }

        var entry = queue.Read(offset);
        if (IsTooOld(entry.Position, state.LogTime))
        {
            return (null, new BrokerFailure(
                BrokerError.InvalidArgument,
                $"the time to live of the message is over, so it would become a dead letter again: {Instead}",
                Rule: BrokenRule.Replay));
        }

        if (offset < cursor.Commit && subscription.AsideCount >= calls.Options.AsideMax)
        {
            return (null, ReplayApplier.TooMany(subscription.AsideCount, calls.Options.AsideMax));
        }

        int[] hashes = cursor.IsOrdered ? [IndexHash.GroupOf(entry.TagHash)] : [];
        return (
            new ReplayCommand(
                origin.GroupId, origin.TopicId, queueId, calls.Options.AsideMax, [new OffsetRange(offset, 1)], hashes)
            {
                Letter = letter,
            },
            null);
    }

    // The letter is a copy of the message but for the time at which it was stored.
    private bool IsTooOld(Primitives.LogPosition position, long now)
    {
        var message = LookupService.Decode("", 0, 0, position, placed.Bytes);
        return message.DeadLetterOrigin is { } origin
            && TimeToLive.IsOver(message.UserProperties, origin.StoredAtMicroseconds, now);
    }
}
