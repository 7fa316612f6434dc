using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Letters;
using Dledger.Broker.Naming;
using Dledger.Broker.StateMachine;

namespace Dledger.Broker.Replays;

/// <summary>What one Replay record did.</summary>
internal readonly record struct ReplayApplied(BrokerFailure? Failure, int PutBackCount, int SkippedCount);

/// <summary>Lets finished messages wait again. A pure function of state and record; the apply loop's.</summary>
internal static class ReplayApplier
{
    /// <summary>All of the record, or nothing when it would not fit.</summary>
    public static ReplayApplied Apply(BrokerState state, ReplayCommand command, SeededDefect defect)
    {
        if (state.FindSubscription(command.GroupId, command.TopicId) is not { } subscription
            || command.QueueId < 0
            || command.QueueId >= subscription.Cursors.Count)
        {
            return new ReplayApplied(
                new BrokerFailure(BrokerError.OffsetNotFound, "the consumer group does not read the topic any more"), 0, 0);
        }

        var cursor = subscription.Cursors[command.QueueId];
        var min = subscription.Topic.Queues[command.QueueId].Min;
        var added = Offsets(command).Count(each => each.Offset < cursor.Commit && CanReplay(cursor, each.Offset, min));
        if (subscription.AsideCount + (long)added > command.AsideMax)
        {
            return new ReplayApplied(TooMany(subscription.AsideCount, command.AsideMax), 0, 0);
        }

        // Each letter is sent again once, whichever way; what cannot be put back leaves it as it is.
        if (command.Letter is { } letter)
        {
            if (!CanReplay(cursor, command.Ranges[0].First, min))
            {
                return new ReplayApplied(NotThere(), 0, 0);
            }

            if (LetterEncoder.Note(state, letter) is { } sent)
            {
                return new ReplayApplied(sent, 0, 0);
            }
        }

        var (putBack, skipped) = (0, 0);
        foreach (var (offset, groupHash) in Offsets(command))
        {
            if (CanReplay(cursor, offset, min))
            {
                cursor.Replay(offset, groupHash);
                putBack++;
            }
            else if (offset >= min)
            {
                skipped++;
            }
        }

        if (putBack > 0 && command.Letter is null)
        {
            // Who asks for messages again wants them delivered, not known as processed.
            subscription.Group.Processed.Forget();
        }

        if (defect == SeededDefect.ReplayMovesGroup && putBack > 0 && cursor.AsideCount > 0)
        {
            state.Leases.Reset(cursor, cursor.Aside[0]);
        }

        state.Leases.Touched.Add(subscription);
        return new ReplayApplied(null, putBack, skipped);
    }

    /// <summary>What is told when a replay does not fit.</summary>
    public static BrokerFailure TooMany(long aside, long asideMax) => new(
        BrokerError.InvalidArgument,
        $"{aside} messages of the topic wait behind the offsets of the group, {asideMax} are allowed: "
            + "let the group consume some of them, then replay the rest",
        Rule: BrokenRule.Replay);

    private static BrokerFailure NotThere() => new(
        BrokerError.MessageNotFound,
        "the message of the dead letter is gone, or the group has it again already: leave --to-group out to send a copy to its topic");

    private static bool CanReplay(QueueCursor cursor, long offset, long min) => offset >= min && cursor.IsFinished(offset);

    private static IEnumerable<(long Offset, int GroupHash)> Offsets(ReplayCommand command)
    {
        var index = 0;
        foreach (var range in command.Ranges)
        {
            for (var offset = range.First; offset < range.End; offset++)
            {
                yield return (offset, command.GroupHashes.Count == 0 ? 0 : command.GroupHashes[index]);
                index++;
            }
        }
    }
}
